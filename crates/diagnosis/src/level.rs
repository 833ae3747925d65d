timeline::words! {
    /// How much a cause or a finding matters.
    pub enum Level {
        /// Good to know; normal in a healthy call.
        Note = "note",
        /// Not as it should be, though the call may work.
        Warning = "warning",
        /// Why the call failed, or was lost.
        Error = "error",
    }
}
