//! The command line of the benches.

use rskq_bench::probe::probes;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args[1].as_str() {
        "probe" => probes().iter().find(|p| p.name == args[2]).unwrap().run(args.len() > 3),
        _ => {
            for p in probes() {
                if args.len() < 3 || p.name.starts_with(&args[2]) {
                    println!("{:40} {:.1}", p.name, p.count(false).unwrap());
                }
            }
        }
    }
}
