//! Who is named as the caller.

use std::{io, net::TcpStream};

use determinism::Escapes;

use crate::simulate;

const DIALS_IN: u32 = line!() + 4;

#[inline(never)]
fn dial() -> io::Result<TcpStream> {
    TcpStream::connect("127.0.0.1:9")
}

#[test]
fn the_programs_own_function_is_named_with_its_line() {
    let (_, escapes) = simulate(Escapes::Fail, || dial().is_err());
    let frame = escapes[0].frame.as_deref().unwrap();
    let (function, _) = frame.split_once(' ').unwrap();
    assert!(matches!(function, "dial" | "it::frames::dial"), "{frame}");
    assert!(frame.ends_with(&format!("tests/it/frames.rs:{DIALS_IN})")), "{frame}");
}
