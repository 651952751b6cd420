"""The short Dutch texts of the demo's stories: per kind of household, calmer at first and more serious later.

Respectful and without details of violence: enough to see what a report is about.
"""

from __future__ import annotations

from random import Random

from workers.demo_people import Kind

STAGES = 4

OPENINGS = {
    "politie": (
        "Op {day} rond {hour} uur vroeg een buurtbewoner de politie om te komen.",
        "Op {day} rond {hour} uur belde een van de betrokkenen zelf 112.",
        "Op {day} rond {hour} uur kwam bij de meldkamer een melding binnen over ruzie in een woning.",
        "Tijdens de surveillance werden wij op {day} rond {hour} uur aangesproken door een voorbijganger.",
        "Op {day} rond {hour} uur kwam een van de betrokkenen naar het bureau.",
        "Een familielid belde op {day} rond {hour} uur, omdat hij zich zorgen maakte.",
    ),
    "halt": (
        "De jongere is bij Halt gekomen na een ruzie op straat op {day}.",
        "Tijdens een Halt-gesprek op {day} vertelde de jongere over thuis.",
        "Bij het intakegesprek op {day} kwamen zorgen over de thuissituatie naar voren.",
    ),
    "onderwijs": (
        "De intern begeleider had op {day} een gesprek met het kind.",
        "De leerkracht ziet sinds een paar weken een verandering en overlegde op {day} met de aandachtsfunctionaris.",
        "Het kind kwam op {day} voor de derde keer deze maand te laat en vertelde waarom.",
        "De leerkracht sprak op {day} met de ouder, omdat het kind vaak niet op school is.",
    ),
    "zorg": (
        "Op {day} was een van de betrokkenen op de spoedeisende hulp.",
        "Tijdens een controle op de polikliniek op {day} ontstonden zorgen.",
        "De huisartsenpost verwees op {day} door. De aandachtsfunctionaris heeft met de ouder gesproken.",
        "Bij de kindcheck op {day} bleek dat er kinderen in het gezin zijn.",
    ),
}

EVENTS: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "partner": (
        (
            "De man en de vrouw hadden ruzie over geld. Er is geschreeuwd en er zijn spullen omgegooid.",
            "De ruzie ging over het huishouden. Beiden zeggen dat er niet is geslagen.",
            "De man en de vrouw maakten ruzie over de opvoeding. De buren hoorden dit vaker.",
        ),
        (
            "De vrouw zegt dat de man haar heeft geduwd. De man zegt dat het een ongeluk was.",
            "De vrouw vertelt dat de man haar telefoon controleert en dat zij haar familie niet mag zien.",
            "Er is over en weer geduwd. De vrouw had een rode plek op haar arm.",
        ),
        (
            "De vrouw zegt dat de man haar heeft geslagen. Zij vertelt dat het de laatste maanden vaker gebeurt.",
            "De man had gedronken en heeft een deur vernield. De vrouw is naar de buren gevlucht.",
            "De vrouw is bang om naar huis te gaan. De man wil niet dat zij met anderen praat.",
        ),
        (
            "De man heeft de vrouw ernstig bedreigd. Zij durft niet meer alleen thuis te zijn.",
            "De vrouw had letsel en is door een arts gezien. De man was bij aankomst vertrokken.",
            "De man heeft gedreigd met een wapen. De vrouw wil weg, maar weet niet hoe.",
        ),
    ),
    "parents": (
        (
            "De ouders liggen in scheiding en maakten ruzie bij het ophalen van de kinderen.",
            "De ouders zijn het niet eens over de omgang. Zij verwijten elkaar van alles.",
        ),
        (
            "Bij de overdracht is de ene ouder door de andere ouder uitgescholden en tegengehouden.",
            "Een van de ouders bracht de kinderen niet terug op het afgesproken tijdstip.",
        ),
        (
            "De ouders hebben op straat gevochten. Een voorbijganger haalde hen uit elkaar.",
            "Een van de ouders zegt dat de ander het oudste kind heeft geslagen. De ander ontkent.",
        ),
        (
            "Een van de ouders dreigt de kinderen mee te nemen naar het buitenland.",
            "De oudste durft niet meer naar huis en verblijft bij een familielid.",
        ),
    ),
    "care": (
        (
            "Er is weinig toezicht op de kinderen. De woning maakt een rommelige indruk.",
            "Het kind heeft vaak geen eten bij zich en draagt te dunne kleren.",
        ),
        (
            "Het kind is vaak moe en stil. De ouder komt afspraken niet na.",
            "De ouder zegt dat het niet meer lukt. Er is weinig steun van familie.",
        ),
        (
            "De kinderen waren een avond alleen thuis. De ouder was niet bereikbaar.",
            "Het kind heeft blauwe plekken en vertelt daar steeds iets anders over.",
        ),
        (
            "Het jongste kind is te licht. De ouder is drie keer niet op de controle gekomen.",
            "De ouder was onder invloed en kon niet voor de kinderen zorgen. Familie ving hen op.",
        ),
    ),
    "stalking": (
        (
            "De ex-partner stuurt na de scheiding veel berichten. De vrouw heeft gevraagd daarmee te stoppen.",
            "De ex-partner stond onverwacht voor de deur en wilde praten.",
        ),
        (
            "De ex-partner rijdt vaak door de straat en staat bij het werk van de vrouw.",
            "De vrouw krijgt tientallen berichten per dag, ook van nieuwe nummers.",
        ),
        (
            "De ex-partner heeft spullen van de vrouw vernield en zegt dat hij haar niet met rust laat.",
            "De ex-partner volgde de vrouw naar een vriendin. Zij slaapt daar nu, omdat zij bang is.",
        ),
        (
            "De ex-partner houdt zich niet aan het contactverbod en heeft de vrouw met de dood bedreigd.",
            "De vrouw vond een peilzender in haar auto. De ex-partner wist steeds waar zij was.",
        ),
    ),
    "teenager": (
        (
            "De ouders hadden ruzie met hun kind over schermtijd. Er is een ruit gesneuveld.",
            "De jongere kwam laat thuis. De ruzie liep zo hoog op dat de buren belden.",
        ),
        (
            "De jongere heeft een van de ouders geduwd. De ouders weten niet meer wat zij moeten doen.",
            "De jongere is een nacht weggelopen en was bij een vriend.",
        ),
        (
            "De jongere heeft een van de ouders geslagen. Broer of zus heeft dit gezien.",
            "De ouders zijn bang voor hun kind en doen 's nachts de deur op slot.",
        ),
        (
            "De jongere heeft de ouders met een voorwerp bedreigd. Zij willen dat hij tijdelijk ergens anders is.",
            "De jongere zegt dat het zo niet langer gaat en wil niet meer leven.",
        ),
    ),
    "elder": (
        (
            "De oudere vertelt dat het kind steeds om geld vraagt.",
            "De thuiszorg wordt aan de deur vaak weggestuurd door het inwonende kind.",
        ),
        (
            "Er is geld van de rekening van de oudere verdwenen. De oudere wil geen ruzie.",
            "Het kind schreeuwt tegen de oudere. De oudere komt bijna niet meer buiten.",
        ),
        (
            "De oudere is geduwd en gevallen. Het kind zegt dat het een ongeluk was.",
            "De oudere lag in een vervuild bed. Het kind zegt dat de zorg te zwaar wordt.",
        ),
        (
            "De oudere kreeg een dag niets te eten en te drinken. De huisarts is gewaarschuwd.",
            "Het kind heeft de oudere bedreigd en laat niemand binnen.",
        ),
    ),
}

CHILDREN = (
    "De kinderen waren erbij en hebben het gezien.",
    "De kinderen lagen op bed. De oudste zegt dat hij alles heeft gehoord.",
    "De kinderen waren bij opa en oma.",
    "Het jongste kind huilde en wilde niet bij een van de ouders weg.",
)
CLOSINGS = (
    ("De rust is hersteld. Betrokkenen willen hulp bij het praten met elkaar.", "Er zijn afspraken gemaakt voor nu."),
    (
        "Een van de betrokkenen slaapt vannacht ergens anders.",
        "Betrokkenen weten van deze melding. Er is morgen weer contact.",
    ),
    (
        "De situatie herhaalt zich. De melder maakt zich zorgen over de veiligheid.",
        "Er is gesproken over een tijdelijk huisverbod.",
    ),
    (
        "De melder vindt dat er nu iets moet gebeuren en vraagt om overleg.",
        "De melder schat in dat het thuis niet veilig is en wil graag terugbellen.",
    ),
)
SITUATIONS: dict[Kind, str] = {
    "partner": "Ruzie en geweld tussen partners.",
    "parents": "Strijd tussen ouders; de kinderen zitten ertussen.",
    "care": "Zorgen over de verzorging van de kinderen.",
    "stalking": "Belaging door een ex-partner.",
    "teenager": "Geweld van een jongere tegen de ouders.",
    "elder": "Zorgen over een oudere die afhankelijk is van een kind.",
}
HELP = (
    "Er is contact met het wijkteam.",
    "Geen hulp bekend.",
    "De huisarts is betrokken.",
    "Er is gezinsbegeleiding, een keer per week.",
)
LIFE = {
    "moved": "Het gezin is kort geleden verhuisd.",
    "partner": "Er is een nieuwe partner in huis.",
    "born": "Er is kort geleden een baby geboren.",
    "apart": "De partners wonen sinds kort niet meer bij elkaar.",
}


def description(kind: Kind, reporter: str, stage: int, children: bool, when: tuple[str, int], luck: Random) -> str:
    """What happened, in four or five sentences. `when`: the day in words and the hour; `stage`: 0 to 3."""
    day, hour = when
    sentences = [luck.choice(OPENINGS[reporter]).format(day=day, hour=hour), luck.choice(EVENTS[kind][stage])]
    if children and kind != "elder":
        sentences.append(luck.choice(CHILDREN))
    return " ".join((*sentences, luck.choice(CLOSINGS[stage])))
