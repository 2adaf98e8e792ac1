"""What a client in another language sees: generated from the .proto files, or knowing nothing but reflection."""

import itertools
import queue

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.field_mask_pb2 import FieldMask
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from conftest import eventually
from ostler.v1 import agent_pb2, agent_pb2_grpc, control_pb2, control_pb2_grpc, fleet_pb2, fleet_pb2_grpc, metrics_pb2


@pytest.fixture()
def fleet(channel):
    stub = fleet_pb2_grpc.FleetStub(channel)
    eventually(lambda: len([n for n in stub.ListNodes(fleet_pb2.ListRequest()).nodes if n.gpu_count]) >= 6)
    return stub


def test_the_demo_has_three_zones_and_says_that_it_is_simulated(fleet):
    summary = fleet.GetFleet(fleet_pb2.GetFleetRequest())
    assert summary.simulated
    assert len(summary.zones) == 3
    assert summary.counts.nodes == 6
    assert summary.counts.gpus == 48


def test_absent_is_not_zero(fleet):
    gpu = fleet.ListGpus(fleet_pb2.ListRequest(page_size=1)).gpus[0]
    assert gpu.HasField("utilization_percent")
    mask = FieldMask(paths=["name"])
    lean = fleet.GetGpu(fleet_pb2.GetRequest(name=gpu.name, field_mask=mask))
    assert lean.name == gpu.name
    assert not lean.HasField("utilization_percent")
    assert lean.node == ""


def test_pages_follow_each_other_without_gaps(fleet):
    whole = [gpu.name for gpu in fleet.ListGpus(fleet_pb2.ListRequest(page_size=1000)).gpus]
    paged, token = [], ""
    while True:
        answer = fleet.ListGpus(fleet_pb2.ListRequest(page_size=7, page_token=token))
        paged += [gpu.name for gpu in answer.gpus]
        token = answer.next_page_token
        if not token:
            break
    assert paged == whole
    assert answer.total_size == len(whole)


def test_a_filter_chooses_and_a_wrong_one_says_where(fleet):
    zone = fleet.ListZones(fleet_pb2.ListRequest()).zones[0].name
    answer = fleet.ListNodes(fleet_pb2.ListRequest(filter=f'zone = "{zone}" AND gpu_count > 0'))
    assert answer.nodes and {node.zone for node in answer.nodes} == {zone}
    with pytest.raises(grpc.RpcError) as refused:
        fleet.ListNodes(fleet_pb2.ListRequest(filter="zome = x"))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "zome" in refused.value.details() and "zone" in refused.value.details()


def test_every_value_carries_its_age(fleet):
    name = fleet.ListGpus(fleet_pb2.ListRequest(page_size=1)).gpus[0].name
    gpu = fleet.GetGpu(fleet_pb2.GetRequest(name=name, field_mask=FieldMask(paths=["name", "readings"])))
    metrics = {reading.metric for reading in gpu.readings}
    assert metrics_pb2.METRIC_GPU_POWER_MILLIWATTS in metrics
    assert all(reading.age_ms < 60_000 for reading in gpu.readings if reading.freshness == fleet_pb2.FRESHNESS_FRESH)


def test_a_watch_begins_with_everything_and_resumes_where_it_broke(fleet):
    request = fleet_pb2.WatchRequest(kinds=[fleet_pb2.KIND_NODE])
    seen, last = set(), None
    for answer in itertools.islice(fleet.Watch(request, timeout=30), 200):
        seen |= {change.node.name for change in answer.changes if change.HasField("node")}
        last = answer
        if answer.synced:
            break
    assert len(seen) == 6
    again = fleet_pb2.WatchRequest(
        kinds=[fleet_pb2.KIND_NODE], resume_revision=last.revision, resume_epoch=last.epoch
    )
    first = next(iter(fleet.Watch(again, timeout=30)))
    assert not first.reset and first.revision >= last.revision
    stranger = fleet_pb2.WatchRequest(kinds=[fleet_pb2.KIND_NODE], resume_revision=last.revision, resume_epoch="another")
    assert next(iter(fleet.Watch(stranger, timeout=30))).reset


def test_history_comes_oldest_first(fleet):
    name = fleet.ListGpus(fleet_pb2.ListRequest(page_size=1)).gpus[0].name
    request = fleet_pb2.QueryRangeRequest(
        metric=metrics_pb2.METRIC_GPU_POWER_MILLIWATTS, gpu=name, since_ms=60_000
    )
    answer = eventually(lambda: (a := fleet.QueryRange(request)) and len(a.values) >= 3 and a)
    assert list(answer.ages_ms) == sorted(answer.ages_ms, reverse=True)
    assert len(answer.ages_ms) == len(answer.values)
    assert all(value > 0 for value in answer.values)


def test_what_is_not_there_is_not_found(fleet):
    with pytest.raises(grpc.RpcError) as missing:
        fleet.GetNode(fleet_pb2.GetRequest(name="nowhere"))
    assert missing.value.code() == grpc.StatusCode.NOT_FOUND


def test_orders_are_not_carried_out_yet_and_say_so(channel):
    with pytest.raises(grpc.RpcError) as refused:
        control_pb2_grpc.ControlStub(channel).Drain(control_pb2.DrainRequest(target="node-1"))
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert len(refused.value.details()) > 20


def test_a_generic_client_finds_its_way_by_reflection(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    assert {"ostler.v1.Agent", "ostler.v1.Fleet", "ostler.v1.Control", "ostler.v1.Peer", "grpc.health.v1.Health"} <= services
    described = DescriptorPool(database).FindServiceByName("ostler.v1.Fleet")
    assert "Watch" in {method.name for method in described.methods}


def test_health_is_served(channel):
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


class Reporter:
    """A small agent: what the .proto files say is enough to write one."""

    def __init__(self, channel):
        self.outgoing = queue.Queue()
        self.answers = agent_pb2_grpc.AgentStub(channel).Report(iter(self.outgoing.get, None), timeout=60)

    def send(self, **body):
        self.outgoing.put(agent_pb2.AgentMessage(**body))

    def close(self):
        self.outgoing.put(None)


def hello(node, **more):
    return agent_pb2.Hello(node=node, zone="zone-py", boot_id="boot", incarnation=1, interval_ms=1000, **more)


def snapshot():
    return agent_pb2.Snapshot(
        seq=1,
        gpus=[agent_pb2.GpuInfo(index=0, uuid="GPU-py-0", model="Test", state=agent_pb2.GPU_STATE_OK)],
        groups=[
            agent_pb2.SeriesGroup(
                gpu=0,
                period_ms=1000,
                metrics=[metrics_pb2.METRIC_GPU_UTILIZATION_PERCENT, metrics_pb2.METRIC_GPU_POWER_MILLIWATTS],
            )
        ],
        values=[40, 300_000],
    )


def test_an_agent_written_from_the_proto_files_is_seen(channel, fleet):
    reporter = Reporter(channel)
    reporter.send(hello=hello("python-node"))
    assert next(reporter.answers).WhichOneof("body") == "welcome"
    reporter.send(snapshot=snapshot())
    reporter.send(row=agent_pb2.Row(seq=2, changed=b"\x01", change=[15]))

    def utilization():
        try:
            gpu = fleet.GetGpu(fleet_pb2.GetRequest(name="GPU-py-0"))
        except grpc.RpcError:
            return False
        return gpu.utilization_percent == 55
    eventually(utilization)
    reporter.send(goodbye=agent_pb2.Goodbye(reason=agent_pb2.GOODBYE_REASON_SHUTDOWN))
    reporter.close()
    eventually(lambda: fleet.GetNode(fleet_pb2.GetRequest(name="python-node")).state == fleet_pb2.NODE_STATE_LEFT)


@pytest.mark.parametrize(
    ("messages", "code", "word"),
    [
        ([dict(row=agent_pb2.Row(seq=1))], grpc.StatusCode.INVALID_ARGUMENT, "hello"),
        ([dict(hello=hello("bad name!"))], grpc.StatusCode.INVALID_ARGUMENT, "node"),
        ([dict(hello=hello("x" * 300))], grpc.StatusCode.INVALID_ARGUMENT, "node"),
        (
            [dict(hello=hello("many-labels", labels={f"k{i}": "v" for i in range(1000)}))],
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "labels",
        ),
        (
            [dict(hello=hello("huge-value")), dict(snapshot=snapshot()), dict(row=agent_pb2.Row(seq=2, changed=b"\x01", change=[1 << 60]))],
            grpc.StatusCode.INVALID_ARGUMENT,
            "gpu_utilization_percent",
        ),
        (
            [dict(hello=hello("miscounted")), dict(snapshot=snapshot()), dict(row=agent_pb2.Row(seq=2, changed=b"\x03", change=[1]))],
            grpc.StatusCode.INVALID_ARGUMENT,
            "change",
        ),
        ([dict(hello=agent_pb2.Hello(node="fat", boot_id="x" * 300_000))], None, ""),
    ],
)
def test_a_hostile_stream_is_refused_with_the_field_named(channel, fleet, messages, code, word):
    reporter = Reporter(channel)
    for message in messages:
        reporter.send(**message)
    with pytest.raises(grpc.RpcError) as refused:
        for _ in reporter.answers:
            pass
    allowed = {code} if code else {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.INVALID_ARGUMENT}
    assert refused.value.code() in allowed, refused.value
    assert word in refused.value.details().lower()
    assert fleet.GetFleet(fleet_pb2.GetFleetRequest()).counts.nodes >= 6


def test_a_flood_is_refused(channel):
    reporter = Reporter(channel)
    reporter.send(hello=hello("flood"))
    reporter.send(snapshot=snapshot())
    for seq in range(2, 2000):
        reporter.send(row=agent_pb2.Row(seq=seq))
    with pytest.raises(grpc.RpcError) as refused:
        for _ in reporter.answers:
            pass
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_gap_is_answered_with_a_request_for_a_snapshot(channel):
    reporter = Reporter(channel)
    reporter.send(hello=hello("gap"))
    reporter.send(snapshot=snapshot())
    reporter.send(row=agent_pb2.Row(seq=9))
    for answer in reporter.answers:
        if answer.WhichOneof("body") == "resync":
            break
    else:
        pytest.fail("no resync came")
    reporter.close()
