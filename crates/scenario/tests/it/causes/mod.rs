//! Why runs failed: each of the scenarios in `broken.toml` must begin with the cause that was put into it, and
//! `docs/causes.md` lists every code with an example.

mod broken;
mod page;
