//! Item 8: bytes.
