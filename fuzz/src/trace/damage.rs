//! What can happen to a compressed file.

/// The first byte of an input whose rest is compressed, after the bytes that say how it is damaged.
pub(super) const MARK: u8 = 1;

/// Bits of one byte that are turned round, and how many bytes at the end are missing.
#[derive(Clone, Copy)]
pub(super) struct Damage {
    place: u16,
    bits: u8,
    missing: u8,
}

impl Damage {
    /// Takes the damage off an input that begins with the mark.
    pub(super) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&[MARK, low, high, bits, missing], text) = bytes.split_first_chunk()? else { return None };
        Some((Self { place: u16::from_le_bytes([low, high]), bits, missing }, text))
    }

    /// The bytes that [`split`](Self::split) takes off.
    pub(super) fn bytes(place: u16, bits: u8, missing: u8) -> [u8; 5] {
        let [low, high] = place.to_le_bytes();
        [MARK, low, high, bits, missing]
    }

    pub(super) fn is_none(self) -> bool {
        self.bits == 0 && self.missing == 0
    }

    pub(super) fn done_to(self, mut file: Vec<u8>) -> Vec<u8> {
        let place = usize::from(self.place) % file.len();
        file[place] ^= self.bits;
        file.truncate(file.len().saturating_sub(self.missing.into()));
        file
    }
}
