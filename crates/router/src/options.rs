use catalog_state::AccountLimits;

/// Who this service is, and what it allows.
#[derive(Clone, Debug)]
pub struct Options {
    /// The region in stream ARNs, such as `us-east-1`.
    pub region: String,
    /// The account in stream ARNs: twelve digits.
    pub account: String,
    /// How much the account may have.
    pub account_limits: AccountLimits,
}
