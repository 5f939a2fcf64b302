// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/** A rank's place in a group of NCCL's. Operations are calls in the order of a stream; bytes are moved, nothing is computed. */
public final class NcclGroup {
    private static final int BYTES = 1; // ncclUint8
    private static final int IN_PROGRESS = 7;

    private final Nccl nccl;
    private final Device device;
    private final MemorySegment handle;
    private final MethodHandle allGather;
    private final MethodHandle broadcast;
    private final MethodHandle send;
    private final MethodHandle receive;
    private final MethodHandle groupStart;
    private final MethodHandle groupEnd;

    NcclGroup(Nccl nccl, Device device, MemorySegment handle) {
        this.nccl = nccl;
        this.device = device;
        this.handle = handle;
        this.allGather =
                nccl.functions().handle("ncclAllGather", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
        this.broadcast = nccl.functions()
                .handle("ncclBroadcast", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG);
        this.send = nccl.functions().handle("ncclSend", JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG);
        this.receive =
                nccl.functions().handle("ncclRecv", JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG);
        this.groupStart = nccl.functions().handle("ncclGroupStart");
        this.groupEnd = nccl.functions().handle("ncclGroupEnd");
    }

    /** All ranks get the parts of all, one behind the other; a part may lie in its place of them. */
    public void allGather(long part, long all, long bytes, long stream) {
        int code;
        try {
            code = (int) allGather.invokeExact(part, all, bytes, BYTES, handle, stream);
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
        nccl.check(code, "ncclAllGather");
    }

    /** All ranks get what one has. */
    public void broadcast(long at, long bytes, int root, long stream) {
        int code;
        try {
            code = (int) broadcast.invokeExact(at, at, bytes, BYTES, root, handle, stream);
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
        nccl.check(code, "ncclBroadcast");
    }

    /** Operations that go on at once: those between this and {@link #end}. */
    public void begin() {
        try {
            nccl.check((int) groupStart.invokeExact(), "ncclGroupStart");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    public void end() {
        try {
            nccl.check((int) groupEnd.invokeExact(), "ncclGroupEnd");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    public void send(long from, long bytes, int to, long stream) {
        int code;
        try {
            code = (int) send.invokeExact(from, bytes, BYTES, to, handle, stream);
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
        nccl.check(code, "ncclSend");
    }

    public void receive(long to, long bytes, int from, long stream) {
        int code;
        try {
            code = (int) receive.invokeExact(to, bytes, BYTES, from, handle, stream);
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
        nccl.check(code, "ncclRecv");
    }

    /** Why operations that are under way will not come to their end, if that is known. */
    public Optional<String> failure() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment code = arena.allocate(JAVA_INT);
            nccl.functions().call("ncclCommGetAsyncError", List.of(ADDRESS, ADDRESS), handle, code);
            int result = code.get(JAVA_INT, 0);
            return result == 0 || result == IN_PROGRESS ? Optional.empty() : Optional.of(nccl.explain(result));
        }
    }

    /** Leaves the group when its operations have come to their end; all ranks of a machine do, and may wait for each other. */
    public void leave() {
        device.use();
        nccl.functions().call("ncclCommDestroy", List.of(ADDRESS), handle);
    }

    /** Leaves it now: what this rank still had to do does nothing any more. */
    public void abort() {
        device.use();
        nccl.functions().call("ncclCommAbort", List.of(ADDRESS), handle);
    }
}
