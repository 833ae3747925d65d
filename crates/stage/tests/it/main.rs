//! What lives on the hosts of a world.

mod bare;
mod net;
mod observed;
mod places;
