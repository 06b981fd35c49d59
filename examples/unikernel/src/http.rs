//! What is asked and what is answered: one request a connection.

use core::fmt::Write;
use heapless::String;
use smoltcp::socket::tcp::Socket;

/// The longest request that is understood, which is what fits into a socket.
const REQUEST: usize = 512;

/// What a client wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To be served.
    Page,
    /// The second CPU's listener to be closed.
    Offline,
    /// The same listener to be there again.
    Online,
    /// Something else.
    Unknown,
}

/// How far a request is.
pub enum Progress {
    /// The rest has to come.
    Waits,
    /// It is here.
    Came(Request),
    /// It will not come.
    Over,
}

/// Looks at what a client has sent.
pub fn request(socket: &mut Socket<'_>) -> Progress {
    let mut bytes = [0; REQUEST];
    let length = socket.peek_slice(&mut bytes).unwrap_or(0);
    let bytes = &bytes[..length];
    if !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        return if socket.may_recv() && length < REQUEST { Progress::Waits } else { Progress::Over };
    }
    let _ = socket.recv(|bytes| (bytes.len(), ()));
    let path = bytes.strip_prefix(b"GET ").and_then(|rest| rest.split(|&byte| byte == b' ').next());
    Progress::Came(match path {
        Some(b"/") => Request::Page,
        Some(b"/offline") => Request::Offline,
        Some(b"/online") => Request::Online,
        _ => Request::Unknown,
    })
}

/// Answers. That this is all is said in the head.
pub fn answer(socket: &mut Socket<'_>, request: Request, cpu: usize) {
    let status = if request == Request::Unknown { "404 Not Found" } else { "200 OK" };
    let mut text = String::<128>::new();
    // "CPU n" and the line's end are the body.
    let _ = write!(text, "HTTP/1.1 {status}\r\nContent-Length: 6\r\nConnection: close\r\n\r\nCPU {cpu}\n");
    let _ = socket.send_slice(text.as_bytes());
}
