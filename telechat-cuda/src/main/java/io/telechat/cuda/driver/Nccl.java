// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/**
 * NVIDIA's library that moves bytes between GPUs, {@code libnccl.so.2}: within a machine by NVLink or PCIe, between machines by their
 * network.
 *
 * @see <a href="https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/api.html">NCCL API</a>
 */
public final class Nccl {
    /** Names another library than the system's: a path. */
    private static final String PROPERTY = "telechat.nccl.library";

    private static final List<String> NAMES = List.of("libnccl.so.2", "/usr/local/cuda/lib64/libnccl.so.2");

    /** Bytes that name a group of ranks. */
    public static final int ID_BYTES = 128;

    private static final MemoryLayout ID = MemoryLayout.structLayout(MemoryLayout.sequenceLayout(ID_BYTES, JAVA_BYTE));

    private static final Optional<Nccl> INSTANCE = load();

    private final Functions functions;
    private final MethodHandle initRank;

    private Nccl(NativeLibrary library) {
        this.functions = new Functions(library, this::check);
        this.initRank = functions.handle("ncclCommInitRank", ADDRESS, JAVA_INT, ID, JAVA_INT);
    }

    private static Optional<Nccl> load() {
        // Registering the buffers of recorded operations is a step that ranks take together, and each of ours records
        // for itself.
        NativeLibrary.setDefault("NCCL_GRAPH_REGISTER", "0");
        return NativeLibrary.find(Optional.ofNullable(System.getProperty(PROPERTY))
                        .map(List::of)
                        .orElse(NAMES))
                .map(Nccl::new);
    }

    /** Empty where it is not installed. */
    public static Optional<Nccl> find() {
        return INSTANCE;
    }

    Functions functions() {
        return functions;
    }

    /** Such as {@code NCCL 2.27.3}. */
    public String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_INT);
            functions.call("ncclGetVersion", List.of(ADDRESS), number);
            int version = number.get(JAVA_INT, 0);
            return "NCCL %d.%d.%d".formatted(version / 10_000, version / 100 % 100, version % 100);
        }
    }

    /** Names a new group, for all its ranks. */
    public byte[] newId() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment id = arena.allocate(ID);
            functions.call("ncclGetUniqueId", List.of(ADDRESS), id);
            return id.toArray(JAVA_BYTE);
        }
    }

    /**
     * Joins a group, which takes until all its ranks have done so.
     *
     * @param device of this rank, and of no other
     */
    public NcclGroup join(Device device, byte[] id, int rank, int size) {
        device.use();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(ADDRESS);
            MemorySegment name = arena.allocate(ID).copyFrom(MemorySegment.ofArray(id));
            int code;
            try {
                code = (int) initRank.invokeExact(handle, size, name, rank);
            } catch (Throwable e) {
                throw Functions.unexpected(e);
            }
            check(code, "ncclCommInitRank");
            return new NcclGroup(this, device, handle.get(ADDRESS, 0));
        }
    }

    void check(int code, String name) {
        if (code != 0) {
            throw new CudaException("NCCL failed in %s: %s", name, explain(code));
        }
    }

    /** What a result means, and what the library says beside it. */
    @SuppressWarnings("restricted")
    String explain(int code) {
        try {
            MemorySegment meaning = (MemorySegment) functions
                    .library()
                    .function("ncclGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT))
                    .invokeExact(code);
            MemorySegment latest = (MemorySegment) functions
                    .library()
                    .function("ncclGetLastError", FunctionDescriptor.of(ADDRESS, ADDRESS))
                    .invokeExact(MemorySegment.NULL);
            String text = text(latest);
            return text(meaning) + (text.isEmpty() ? "" : " (" + text + ")");
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    /** The characters up to the first zero. */
    @SuppressWarnings("restricted")
    private static String text(MemorySegment start) {
        return start.address() == 0 ? "" : start.reinterpret(1024).getString(0).strip();
    }
}
