//! What the image is told when it starts.

/// The part of QEMU's start info that is read here. (PVH: `struct hvm_start_info`.)
#[repr(C)]
pub struct StartInfo {
    magic: u32,
    _version: u32,
    _flags: u32,
    _modules: u32,
    _module_list: u64,
    command_line: u64,
}

impl StartInfo {
    const MAGIC: u32 = 0x336e_c578;

    /// The words of the command line.
    ///
    /// # Safety
    ///
    /// `self` is where the image's starter put it.
    pub unsafe fn words(&self) -> impl Iterator<Item = &str> {
        let line = if self.magic != Self::MAGIC || self.command_line == 0 {
            c""
        } else {
            // SAFETY: PVH says that it is the physical address of a string, and each address is its own.
            unsafe { core::ffi::CStr::from_ptr(self.command_line as *const _) }
        };
        line.to_str().unwrap_or_default().split_ascii_whitespace()
    }
}
