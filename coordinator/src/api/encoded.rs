//! The long lists over gRPC, whose answers are encoded while they are made.
//!
//! Through the generated service, an answer is first ten thousand messages with some ten strings each, then bytes. That is
//! fine for everything but lists of what every node has several of.

use std::marker::PhantomData;

use bytes::BufMut;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use ostler_proto::v1;
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};
use tonic_prost::{ProstCodec, ProstDecoder};

use super::entity::Entity;
use super::{Api, list};

/// A way to answer a request.
pub(crate) type Answer<B> = fn(Api, usize, Request<B>) -> BoxFuture<'static, Response<Body>>;

/// The way to answer this path, if it is one of the long lists.
pub(crate) fn answer<B>(path: &str) -> Option<Answer<B>>
where
    B: hyper::body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    B::Data: Send,
{
    match path {
        "/ostler.v1.Fleet/ListNodes" => Some(serve::<v1::Node, B>),
        "/ostler.v1.Fleet/ListGpus" => Some(serve::<v1::Gpu, B>),
        "/ostler.v1.Fleet/ListEngines" => Some(serve::<v1::Engine, B>),
        _ => None,
    }
}

fn serve<M, B>(api: Api, request_bytes_max: usize, request: Request<B>) -> BoxFuture<'static, Response<Body>>
where
    M: Entity + Message,
    B: hyper::body::Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    B::Data: Send,
{
    Box::pin(async move {
        let mut grpc = Grpc::new(ListCodec).apply_max_message_size_config(Some(request_bytes_max), None);
        grpc.unary(List::<M> { api, entry: PhantomData }, request).await
    })
}

struct List<M> {
    api: Api,
    entry: PhantomData<fn() -> M>,
}

impl<M: Entity + Message> UnaryService<v1::ListRequest> for List<M> {
    type Response = Encoded;
    type Future = BoxFuture<'static, Result<tonic::Response<Encoded>, Status>>;

    fn call(&mut self, request: tonic::Request<v1::ListRequest>) -> Self::Future {
        let api = self.api.clone();
        Box::pin(async move {
            list::encoded::<M>(&api, request.get_ref())
                .await
                .map(|bytes| tonic::Response::new(Encoded(bytes)))
        })
    }
}

/// A message in the form of the wire.
struct Encoded(Vec<u8>);

struct ListCodec;

impl Codec for ListCodec {
    type Encode = Encoded;
    type Decode = v1::ListRequest;
    type Encoder = ListEncoder;
    type Decoder = ProstDecoder<v1::ListRequest>;

    fn encoder(&mut self) -> ListEncoder {
        ListEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<v1::ListRequest, v1::ListRequest>::default().decoder()
    }
}

struct ListEncoder;

impl Encoder for ListEncoder {
    type Item = Encoded;
    type Error = Status;

    fn encode(&mut self, item: Encoded, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&item.0);
        Ok(())
    }
}
