//! What the tests share.

pub(crate) mod link;
pub(crate) mod segment;
