/// Randomness. One seed decides all of it in the simulation.
pub trait Random: Send + Sync + 'static {
    /// Fills `buffer` with random bytes, fit for keys in the real implementation.
    fn fill(&self, buffer: &mut [u8]);

    /// A random number over the whole range.
    fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}
