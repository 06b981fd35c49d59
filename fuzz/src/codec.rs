//! Operations as bytes: which one it is, and a byte for each argument. In both directions, so that seeds can be
//! made of operations that are known.

use arbitrary::{Arbitrary, Unstructured};

/// Reads operations to the end, but at most so many.
pub(crate) fn operations<'a, T: Arbitrary<'a>>(
    u: &mut Unstructured<'a>,
    most: usize,
) -> arbitrary::Result<Vec<T>> {
    let mut ops = Vec::new();
    while !u.is_empty() && ops.len() < most {
        ops.push(T::arbitrary(u)?);
    }
    Ok(ops)
}

/// What an argument can be. Every byte stands for something.
pub(crate) trait Values<T> {
    fn get(&self, byte: u8) -> T;
    /// The inverse, or something near to it.
    fn put(&self, value: T) -> u8;
}

/// Numbers below one.
pub(crate) struct Below(pub(crate) usize);

impl Values<usize> for Below {
    fn get(&self, byte: u8) -> usize {
        usize::from(byte) % self.0
    }
    fn put(&self, value: usize) -> u8 {
        value.min(self.0 - 1) as u8
    }
}

impl Values<u32> for Below {
    fn get(&self, byte: u8) -> u32 {
        u32::from(byte) % self.0 as u32
    }
    fn put(&self, value: u32) -> u8 {
        value.min(self.0 as u32 - 1) as u8
    }
}

/// Hashes, which select by their upper bits.
pub(crate) struct Hash;

impl Values<u32> for Hash {
    fn get(&self, byte: u8) -> u32 {
        u32::from(byte) << 24
    }
    fn put(&self, value: u32) -> u8 {
        (value >> 24) as u8
    }
}

/// One of these; of what is not among them, the last.
impl<T: Copy + PartialEq, const N: usize> Values<T> for [T; N] {
    fn get(&self, byte: u8) -> T {
        self[usize::from(byte) % N]
    }
    fn put(&self, value: T) -> u8 {
        self.iter().position(|one| *one == value).unwrap_or(N - 1) as u8
    }
}

/// Gives operations their bytes: each variant, and what its arguments can be.
macro_rules! codec {
    ($op:ident: $($name:ident { $($field:ident: $values:expr),* }),+ $(,)?) => {
        enum Kind {
            $($name),+
        }

        impl<'a> Arbitrary<'a> for $op {
            fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
                let kind = u8::arbitrary(u)? % [$(Kind::$name),+].len() as u8;
                $(if kind == Kind::$name as u8 {
                    return Ok($op::$name { $($field: $values.get(u8::arbitrary(u)?)),* });
                })+
                Err(arbitrary::Error::IncorrectFormat)
            }
        }

        /// Adds an operation to bytes.
        fn encode(op: $op, bytes: &mut Vec<u8>) {
            match op {
                $($op::$name { $($field),* } => {
                    bytes.extend_from_slice(&[Kind::$name as u8, $($values.put($field)),*]);
                })+
            }
        }
    };
}
pub(crate) use codec;
