//! Every fault is noticed by the attack that is for it; without one, the same back end withstands.

use attack::Seeded;
use attack::attacks::{Attack, Size};
use attack::controls::CONTROLS;

/// One control after the other: what is planted is for the whole process.
#[test]
fn every_attack_notices() {
    for attack in Attack::ALL {
        assert!(CONTROLS.iter().any(|control| control.attack == attack), "{attack:?} has no control");
        for report in attack.run::<Seeded>(Size::SMALL) {
            assert!(report.holds(), "{report}");
        }
    }
    for control in CONTROLS {
        assert!(control.planted(Size::SMALL).is_some(), "{control:?} is not noticed");
    }
}
