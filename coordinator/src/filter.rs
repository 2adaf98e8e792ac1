//! Filters of lists and watches: a small language after AIP-160.
