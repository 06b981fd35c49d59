//! How much memory each thing takes: the size of a symbol of its name.

use crate::child::Child;
use crate::memory::Backend;
use rskq::group::{Member, SockReuseport};
use rskq::hash::{BindBucket, Bucket, EhashBucket};
use rskq::listener::Listener;
use rskq::request::{Owner, RequestSock};
use rskq::{Slot, Stack};

macro_rules! sizes {
    ($($name:ident: $type:ty,)+) => {
        $(
            // A name of its own: two of one size would be one.
            #[unsafe(no_mangle)]
            static $name: [u8; size_of::<$type>()] = [0; _];
        )+

        /// Keeps the symbols in the image.
        pub(crate) fn keep() {
            $(core::hint::black_box(&raw const $name);)+
        }
    };
}

sizes! {
    SIZE_OF_A_REQUEST: Slot<RequestSock<Child, Backend>, Backend>,
    SIZE_OF_A_LISTENER: Slot<Listener<Child, Backend>, Backend>,
    SIZE_OF_AN_OWNER: Slot<Owner<Backend>, Backend>,
    SIZE_OF_A_GROUP: Slot<SockReuseport<Backend>, Backend>,
    SIZE_OF_A_MEMBER: Member<Backend>,
    SIZE_OF_A_PORT_BUCKET: BindBucket<Child, Backend>,
    SIZE_OF_A_LISTEN_BUCKET: Bucket<Backend>,
    SIZE_OF_AN_EHASH_BUCKET: EhashBucket<Child, Backend>,
    SIZE_OF_THE_STACK: Stack<'static, Child, Backend>,
}
