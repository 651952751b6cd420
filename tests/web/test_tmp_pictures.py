from tests.web import test_browser, test_review_browser
from tests.web.test_browser import *
from tests.web.test_review_browser import proposals
browser, address = test_browser.browser, test_browser.address
def test_pics(browser, address, family, world, proposals, db):
    from workers import clock
    clock.count()
    world.task("review_route", family["second"], __import__("datetime").datetime.now(__import__("datetime").timezone.utc), 1, world.team)
    for width in (1280, 320):
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.goto(f"{address}/inloggen"); page.fill("#gebruikersnaam", "sanne" if False else "teun"); page.fill("#wachtwoord", "demo-teun"); page.keyboard.press("Enter"); page.wait_for_url("**/wachtrij")
        print(page.inner_text("header"))
        for name, path in {"queue":"/wachtrij","list":"/koppelvoorstellen","pair":f"/koppelvoorstellen/{proposals[0]}","quality":"/kwaliteit","sample":"/kwaliteit/steekproef","rules":"/regels","report":f"/meldingen/{family['third']}","second":f"/meldingen/{family['second']}"}.items():
            page.goto(address+path)
            print(width, name, page.title(), page.evaluate("document.documentElement.scrollWidth"), violations(page))
            page.screenshot(path=f"/tmp/pics/{name}-{width}.png", full_page=True)
    assert 0
