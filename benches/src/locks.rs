//! Item 7: the lock validator, beside the raw lock and other checkers.
