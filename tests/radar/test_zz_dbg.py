from tests.radar.test_linking_bulk import *
def test_zzz(fresh):
    reports = old_reports(register_lines(120, 1))
    out=[]
    for way in (one_by_one, one_by_one, lambda r,x: in_bulk(r,x,1), lambda r,x: in_bulk(r,x,7), lambda r,x: in_bulk(r,x,1000)):
        region=fresh(); way(region, reports); out.append(picture(region))
    for n in range(1,5):
        for part in ("homes", "reports", "links", "members", "profiles", "keys"):
            one, other = out[0][part], out[n][part]
            if isinstance(one, dict):
                one, other = sorted(one.items(), key=repr), sorted(other.items(), key=repr)
            for mark,x,y in (("A",one,other),("B",other,one)):
                for r in [r for r in x if r not in y][:3]:
                    print(n, part,mark,{k:v for k,v in r.items() if k not in('said','rule_set','created_at')} if isinstance(r,dict) else r)
