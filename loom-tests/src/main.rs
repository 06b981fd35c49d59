use loom_tests::*;
fn main() {
    let max = std::env::args().nth(1).map_or(10, |s| s.parse().unwrap());
    let only = std::env::args().nth(2);
    let onlys = std::env::args().nth(3);
    for c in designs::COLUMNS {
        if only.as_deref().is_some_and(|o| o != c.name && o != "all") { continue }
        for s in scenario::SCENARIOS {
        if onlys.as_deref().is_some_and(|o| o != s.name) { continue }
            let e = explore::explore(*c, *s, explore::Settings { max_time: Some(std::time::Duration::from_secs(max)), ..Default::default() });
            print!("{:18} {:36} {:8} {:6.2}s ", c.name, s.name, e.interleavings, e.elapsed.as_secs_f64());
            for (p, v) in &e.verdicts { if !v.holds() { print!("{}:{} ", p.name(), v.name()); } }
            println!();
            if onlys.is_some() { for (p, v) in &e.verdicts { if let Some(i) = v.interleaving() { println!("{}\n{}", p.name(), story::tell(s, i)); } } }
        }
    }
}
