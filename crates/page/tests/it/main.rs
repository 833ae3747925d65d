//! One binary for what spans the package.

mod hostile;
