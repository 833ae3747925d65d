//! The words of scenario files for what the world has constructors for.

timeline::words! {
    /// NATs as they are called since RFC 3489 §5.
    pub enum NatKind {
        /// Nothing depends on the remote.
        FullCone = "full-cone",
        /// One mapping for all; who is let in depends on the address.
        RestrictedCone = "restricted-cone",
        /// One mapping for all; who is let in depends on address and port. The usual home router.
        PortRestrictedCone = "port-restricted-cone",
        /// A mapping for each remote endpoint, with a random port.
        Symmetric = "symmetric",
    }
}

timeline::words! {
    /// Firewalls as they are found.
    pub enum FirewallKind {
        /// Everything may go out, and only answers come in: a home router's IPv6 firewall (RFC 6092).
        Stateful = "stateful",
        /// No UDP at all.
        UdpBlocked = "udp-blocked",
        /// TCP to ports 80 and 443, and nothing else.
        WebOnly = "web-only",
    }
}
