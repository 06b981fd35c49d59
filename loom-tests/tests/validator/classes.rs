//! Classes that several contexts name at once.

use crate::wrong::{Stale, Unexcluded};
use crate::{explore, validator};
use loom_tests::exhaust::{join, spawn};
use rskq::lockdep::validator::{ClassKey, Validator};
use rskq::sync::Backend;
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use std::sync::{Arc, Mutex};

struct Named<B: Backend> {
    validator: Box<Validator<B>>,
    keys: [ClassKey<B>; 2],
    ids: Mutex<Vec<[u8; 2]>>,
}

fn two_keys<B: Backend>() -> String {
    let mut named =
        Named::<B> { validator: validator(&[]), keys: ["A", "B"].map(ClassKey::new), ids: Mutex::default() };
    named.keys.iter_mut().for_each(ClassKey::place);
    let named = Arc::new(named);
    let ask = |thread: u8, order: [usize; 2]| {
        let named = Arc::clone(&named);
        spawn(thread, move || {
            let mut ids = [0; 2];
            for which in order {
                let id = named.keys[which].id(&named.validator).expect("there is room");
                ids[which] = named.validator.name(id).as_bytes()[0];
            }
            named.ids.lock().unwrap().push(ids);
        })
    };
    [ask(1, [0, 1]), ask(2, [1, 0])].into_iter().for_each(join);
    let ids = named.ids.lock().unwrap();
    let right = ids.iter().all(|&ids| ids == *b"AB");
    format!("{}, {} classes", if right { "right" } else { "wrong" }, named.validator.counts().classes)
}

/// Two contexts ask the same two keys in opposite order: each name is one class, for both.
#[test]
fn a_name_is_one_class() {
    explore("two keys", two_keys::<Loom<Fine>>).are(&["right, 2 classes"]);
}

/// The keys' own words may be as old as they like: the table is behind the lock.
#[test]
fn a_name_is_one_class_with_stale_words() {
    explore("two keys, stale words", two_keys::<Stale>).are(&["right, 2 classes"]);
}

#[test]
fn a_name_control_no_lock() {
    crate::races("control: two keys, no exclusion", two_keys::<Unexcluded>);
}
