//! Why runs failed: each of the scenarios in `broken.toml` must begin with the cause that was put into it.

mod broken;
