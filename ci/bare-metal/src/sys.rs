//! Expectations, where there is nobody to tell.

/// Goes on only if `holds`.
pub(crate) fn expect(holds: bool, _what: &str) {
    assert!(holds);
}

/// Returns what must be there.
pub(crate) fn must<T, E>(result: Result<T, E>, what: &str) -> T {
    expect(result.is_ok(), what);
    match result {
        Ok(value) => value,
        Err(_) => unreachable!(),
    }
}
