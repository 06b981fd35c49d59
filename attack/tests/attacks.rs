//! What ships withstands every attack, of a test's size.

use attack::attacks::{Attack, Size};
use rskq::DefaultBackend;

/// One attack after the other: they measure, and what a program is asked is counted in statics.
#[test]
fn what_ships_withstands() {
    for attack in Attack::ALL {
        for report in attack.run::<DefaultBackend>(Size::SMALL) {
            assert!(report.holds(), "{report}");
        }
    }
}
