//! The program as users meet it.

mod serve;
