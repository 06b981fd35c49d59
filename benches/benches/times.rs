//! Times everything, in turns.
use rskq_bench::everything;
fn main() {
    let mut min = vec![f64::MAX; 200];
    let all = everything();
    for _ in 0..5 {
        for (i, m) in all.iter().enumerate() {
            let mut r = (m.make)(&m.case);
            r(3);
            let n = if m.item.starts_with("3") || m.item.starts_with("6 exp") {
                3u64
            } else if m.who.starts_with("smol") || m.who.starts_with("search") {
                2000
            } else {
                200_000u64
            };
            let t = r(n).as_nanos() as f64 / n as f64;
            if t < min[i] {
                min[i] = t;
            }
        }
    }
    for (i, m) in all.iter().enumerate() {
        println!("{:20} {:12} {:24} {:.2}", m.item, m.case, m.who, min[i]);
    }
}
