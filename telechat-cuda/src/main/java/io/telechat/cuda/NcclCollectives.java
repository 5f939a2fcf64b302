// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.DeviceCollectives;
import io.telechat.core.comm.RankException;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.CudaException;
import io.telechat.cuda.driver.Device;
import io.telechat.cuda.driver.Nccl;
import io.telechat.cuda.driver.NcclGroup;
import io.telechat.cuda.driver.Stream;
import io.telechat.cuda.driver.StreamCall;
import io.telechat.cuda.driver.Watch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operations among ranks in the memory of their GPUs: NCCL moves bytes, and a kernel of ours adds them up, in the order of the
 * ranks. NCCL's own sums are made in the order in which its rings and trees happen to lie.
 */
final class NcclCollectives implements DeviceCollectives, Watch, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NcclCollectives.class);

    /** Sums of so few bytes are made by every rank, after one message: two of a pass through a layer with a few tokens. */
    private static final long SMALL = 1 << 18;

    /** Bytes of a rank's part that are under way at once. */
    private static final long CHUNK = 16L << 20;

    /** Others may close at another time than this rank, or have failed. */
    private static final Duration LEAVING = Duration.ofSeconds(5);

    private final Communicator ranks;
    private final Stream stream;
    private final Kernels kernels;
    private final NcclGroup group;
    private final int rank;
    private final int size;
    private final Scratch parts;
    private final StreamCall gatherCall;
    private final StreamCall exchangeCall;
    private final StreamCall broadcastCall;
    private final StreamCall firstCall;
    private long chunk = CHUNK;
    private boolean ended;

    private NcclCollectives(Communicator ranks, Stream stream, Kernels kernels, NcclGroup group) {
        this.ranks = ranks;
        this.stream = stream;
        this.kernels = kernels;
        this.group = group;
        this.rank = ranks.rank();
        this.size = ranks.size();
        this.parts = new Scratch(stream);
        this.gatherCall = new StreamCall("allGather", 3, (s, a) -> group.allGather(a[0], a[1], a[2], s));
        this.exchangeCall = new StreamCall("exchange", 4, (s, a) -> exchange(a[0], a[1], a[2], a[3], s));
        this.broadcastCall = new StreamCall("broadcast", 3, (s, a) -> group.broadcast(a[0], a[1], (int) a[2], s));
        this.firstCall = new StreamCall("gather", 3, (s, a) -> toFirst(a[0], a[1], a[2], s));
    }

    /**
     * Connects the GPUs of all ranks, each of which calls this.
     *
     * @throws InvalidRequestException on all ranks, if one has no NCCL, or two have the same GPU
     */
    static NcclCollectives connect(Communicator ranks, Stream stream, Kernels kernels) {
        Optional<Nccl> nccl = Nccl.find();
        requireAll(ranks, stream.device(), nccl.isPresent());
        byte[] id = sameForAll(ranks, ranks.rank() == 0 ? nccl.orElseThrow().newId() : new byte[Nccl.ID_BYTES]);
        NcclGroup group = nccl.orElseThrow().join(stream.device(), id, ranks.rank(), ranks.size());
        return new NcclCollectives(ranks, stream, kernels, group);
    }

    /** Before anybody waits for one that will not come. */
    private static void requireAll(Communicator ranks, Device device, boolean hasNccl) {
        int[] uuid = device.uuid();
        double[][] all = ranks.gather(hasNccl ? 1 : 0, uuid[0], uuid[1], uuid[2], uuid[3]);
        for (int r = 0; r < all.length; r++) {
            if (all[r][0] == 0) {
                throw new InvalidRequestException(
                        "rank %d has no NCCL (libnccl.so.2), which connects GPUs; install NVIDIA's package libnccl2",
                        r);
            }
            for (int other = 0; other < r; other++) {
                if (Arrays.equals(all[r], all[other])) {
                    throw new InvalidRequestException(
                            "ranks %d and %d have the same GPU: each needs one of its own, and this machine offers %d;"
                                    + " use fewer ranks",
                            other, r, Device.count());
                }
            }
        }
    }

    private static byte[] sameForAll(Communicator ranks, byte[] id) {
        try (HostArena arena = new HostArena()) {
            Tensor bytes = arena.allocate(DType.U8, id.length);
            bytes.segment().copyFrom(MemorySegment.ofArray(id));
            ranks.broadcastNow(bytes, 0);
            return bytes.segment().toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** For tests, whose tensors are small. */
    void chunk(long bytes) {
        chunk = bytes;
    }

    private void requireNotEnded() {
        if (ended) {
            throw new RankException("another rank has failed");
        }
    }

    @Override
    public void allReduce(Tensor values) {
        requireNotEnded();
        long at = DeviceStorage.address(values);
        if (values.bytes() <= SMALL) {
            gatherAndSum(at, values.bytes());
            return;
        }
        // Each rank sums a piece, and hands it to the others.
        long piece = values.bytes() / Float.BYTES / size * Float.BYTES;
        long own = at + rank * piece;
        exchangeAndSum(at, piece, own, piece, false);
        stream.call(gatherCall, own, at, piece);
        long rest = values.bytes() - size * piece;
        if (rest > 0) {
            gatherAndSum(at + size * piece, rest);
        }
    }

    private void gatherAndSum(long at, long bytes) {
        long all = parts.of(size * bytes);
        stream.call(gatherCall, at, all, bytes);
        sum(all, bytes, at, false);
    }

    /** @param stride bytes from the part of a rank to that of the next one */
    private void exchangeAndSum(long all, long stride, long part, long bytes, boolean add) {
        for (long from = 0; from < bytes; from += chunk) {
            long count = Math.min(chunk, bytes - from);
            long received = parts.of(size * count);
            stream.call(exchangeCall, all + from, stride, received, count);
            sum(received, count, part + from, add);
        }
    }

    /** Each rank gets from every rank what that has in this one's place, and puts it one behind the other. */
    private void exchange(long all, long stride, long received, long bytes, long to) {
        group.begin();
        try {
            for (int other = 0; other < size; other++) {
                group.send(all + other * stride, bytes, other, to);
                group.receive(received + other * bytes, bytes, other, to);
            }
        } finally {
            group.end();
        }
    }

    /** {@code to (+)= Σ_r all[r]}, in the order of the ranks. */
    private void sum(long all, long bytes, long to, boolean add) {
        long elements = bytes / Float.BYTES;
        stream.launch(kernels.get("sum_parts", "sum_parts", "pilip"))
                .grid(Kernels.blocks(elements))
                .threads(Kernels.THREADS)
                .put(all)
                .put(size)
                .put(elements)
                .put(add ? 1 : 0)
                .put(to)
                .run();
    }

    @Override
    public void allGather(Tensor part, Tensor all) {
        requireNotEnded();
        stream.call(gatherCall, DeviceStorage.address(part), DeviceStorage.address(all), part.bytes());
    }

    @Override
    public void reduceScatter(Tensor all, Tensor part, boolean add) {
        requireNotEnded();
        exchangeAndSum(DeviceStorage.address(all), part.bytes(), DeviceStorage.address(part), part.bytes(), add);
    }

    @Override
    public void gather(Tensor part, Tensor all) {
        requireNotEnded();
        long to = rank == 0 ? DeviceStorage.address(all) : 0;
        stream.call(firstCall, DeviceStorage.address(part), to, part.bytes());
    }

    private void toFirst(long part, long all, long bytes, long on) {
        group.begin();
        try {
            group.send(part, bytes, 0, on);
            for (int other = 0; rank == 0 && other < size; other++) {
                group.receive(all + other * bytes, bytes, other, on);
            }
        } finally {
            group.end();
        }
    }

    @Override
    public void broadcast(Tensor values, int root) {
        requireNotEnded();
        stream.call(broadcastCall, DeviceStorage.address(values), values.bytes(), root);
    }

    /** Somebody waits for the stream, which may wait for another rank. */
    @Override
    public void check(long waitedNanos) {
        if (ended) {
            return;
        }
        try {
            ranks.checkOthers();
            Optional<String> failure = group.failure();
            if (failure.isPresent()) {
                throw new RankException("rank %d has lost the others: NCCL says: %s", rank, failure.get());
            }
            Duration patience = ranks.patience();
            if (Duration.ofNanos(waitedNanos).compareTo(patience) > 0) {
                throw new RankException("rank %d waited %d s for the other ranks in vain", rank, patience.toSeconds());
            }
        } catch (RankException e) {
            abort();
            throw e;
        }
    }

    private void abort() {
        ended = true;
        group.abort();
    }

    /** Leaves the group. Who fails may be the only one to do so: then the others end when they hear of it. */
    @Override
    public void close() {
        ranks.connect(Optional.empty());
        try {
            stream.synchronize();
        } catch (RankException | CudaException e) {
            LOG.debug("the ranks have come apart before", e);
        }
        if (!ended) {
            ended = true;
            leave();
        }
        stream.watch(Optional.empty());
        parts.close();
    }

    private void leave() {
        Thread leaving = Thread.ofPlatform()
                .daemon()
                .name("telechat-leaves-" + rank)
                .start(() -> {
                    try {
                        group.leave();
                    } catch (CudaException e) {
                        LOG.debug("a group of GPUs could not be left", e);
                    }
                });
        try {
            if (!leaving.join(LEAVING)) {
                LOG.debug("rank {} does not wait for the others to leave", rank);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
