//! The gRPC services that read and order: Fleet, Control, Peer.
