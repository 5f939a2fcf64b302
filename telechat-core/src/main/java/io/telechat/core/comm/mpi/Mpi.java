// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.comm.RankException;
import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.stream.Stream;

/**
 * The functions of MPI that are used here. Handles are longs: addresses of the library's objects in Open MPI, numbers of 32 bits in
 * MPICH and what shares its binary interface (<a href="https://www.mpich.org/abi/">MPICH ABI</a>).
 */
final class Mpi {
    /** Of Open MPI 4 and 5, then of MPICH and its relatives. */
    private static final List<String> OPEN_MPI = List.of("libmpi.so.40", "libmpi.40.dylib");

    private static final List<String> MPICH = List.of("libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib");
    private static final List<String> ANY = List.of("libmpi.so", "libmpi.dylib");

    private static final int SUCCESS = 0;
    private static final int MAX_STRING = 8192; // MPICH's longest, of the version
    private static final int SERIALIZED = 2;

    private final NativeLibrary library;
    private final boolean isOpenMpi;
    private final MethodHandle initThread;
    private final MethodHandle commRank;
    private final MethodHandle commSize;
    private final MethodHandle commSplit;
    private final MethodHandle setErrorHandler;
    private final MethodHandle errorString;
    private final MethodHandle allToAll;
    private final MethodHandle allGather;
    private final MethodHandle gather;
    private final MethodHandle broadcast;
    private final MethodHandle test;
    private final MethodHandle abort;
    private final MethodHandle finish;
    private final String version;

    final long world;
    final long bytes;
    final long floats;
    final long doubles;
    /** In place of what is sent: it lies where it is received. */
    final MemorySegment inPlace;

    private final MemorySegment ignoredStatus;

    private Mpi(NativeLibrary library) {
        this.library = library;
        this.isOpenMpi = library.has("ompi_mpi_comm_world");
        this.world = handle("ompi_mpi_comm_world", 0x44000000);
        this.bytes = handle("ompi_mpi_byte", 0x4c00010d);
        this.floats = handle("ompi_mpi_float", 0x4c00040a);
        this.doubles = handle("ompi_mpi_double", 0x4c00080b);
        this.inPlace = MemorySegment.ofAddress(isOpenMpi ? 1 : -1);
        this.ignoredStatus = MemorySegment.ofAddress(isOpenMpi ? 0 : 1);
        MemoryLayout handle = isOpenMpi ? JAVA_LONG : JAVA_INT;
        this.initThread = function("MPI_Init_thread", ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
        this.commRank = function("MPI_Comm_rank", handle, ADDRESS);
        this.commSize = function("MPI_Comm_size", handle, ADDRESS);
        this.commSplit = function("MPI_Comm_split", handle, JAVA_INT, JAVA_INT, ADDRESS);
        this.setErrorHandler = function("MPI_Comm_set_errhandler", handle, handle);
        this.errorString = function("MPI_Error_string", JAVA_INT, ADDRESS, ADDRESS);
        this.allToAll = function(
                "MPI_Ialltoallv",
                ADDRESS,
                ADDRESS,
                ADDRESS,
                handle,
                ADDRESS,
                ADDRESS,
                ADDRESS,
                handle,
                handle,
                ADDRESS);
        this.allGather =
                function("MPI_Iallgather", ADDRESS, JAVA_INT, handle, ADDRESS, JAVA_INT, handle, handle, ADDRESS);
        this.gather = function(
                "MPI_Igather", ADDRESS, JAVA_INT, handle, ADDRESS, JAVA_INT, handle, JAVA_INT, handle, ADDRESS);
        this.broadcast = function("MPI_Ibcast", ADDRESS, JAVA_INT, handle, JAVA_INT, handle, ADDRESS);
        this.test = function("MPI_Test", ADDRESS, ADDRESS, ADDRESS);
        this.abort = function("MPI_Abort", handle, JAVA_INT);
        this.finish = function("MPI_Finalize");
        this.version = version(function("MPI_Get_library_version", ADDRESS, ADDRESS));
    }

    /** @throws InvalidRequestException if no MPI is installed */
    static Mpi load() {
        // UCX, which many an MPI is built with, would take the signals away that the JVM works with.
        NativeLibrary.setDefault("UCX_ERROR_SIGNALS", "");
        return new Mpi(NativeLibrary.find(libraries())
                .orElseThrow(() -> new InvalidRequestException(
                        "there is no MPI for several ranks; install one, for example apt-get install openmpi-bin")));
    }

    /** Where both are installed, it is the one whose mpirun has started this process. */
    private static List<String> libraries() {
        boolean byMpich = System.getenv("PMI_RANK") != null && System.getenv("OMPI_COMM_WORLD_RANK") == null;
        return Stream.of(byMpich ? MPICH : OPEN_MPI, ANY, byMpich ? OPEN_MPI : MPICH)
                .flatMap(List::stream)
                .toList();
    }

    private long handle(String openMpi, int mpich) {
        return isOpenMpi ? library.address(openMpi) : mpich;
    }

    private MethodHandle function(String name, MemoryLayout... parameters) {
        MethodHandle exact = library.function(name, FunctionDescriptor.of(JAVA_INT, parameters));
        Class<?>[] types = new Class<?>[parameters.length];
        for (int i = 0; i < types.length; i++) {
            types[i] = exact.type().parameterType(i);
        }
        return exact.asType(MethodType.methodType(int.class, types));
    }

    /** Hands a handle of the library over as what its functions take. */
    private Object wide(long handle) {
        return isOpenMpi ? (Object) handle : (Object) (int) handle;
    }

    private int call(MethodHandle function, Object... arguments) {
        try {
            return (int) function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError("functions of MPI throw nothing", e);
        }
    }

    private void check(int code, String what) {
        if (code != SUCCESS) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment text = arena.allocate(MAX_STRING);
                MemorySegment length = arena.allocate(JAVA_INT);
                call(errorString, code, text, length);
                throw new RankException("MPI failed in %s: %s", what, text.getString(0));
            }
        }
    }

    private String version(MethodHandle function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MAX_STRING);
            MemorySegment length = arena.allocate(JAVA_INT);
            call(function, text, length);
            return text.getString(0)
                    .lines()
                    .findFirst()
                    .orElse("MPI")
                    .split(",")[0]
                    .strip();
        }
    }

    /** Such as {@code Open MPI v4.1.4}. */
    String version() {
        return version;
    }

    /** Joins the other ranks. Errors come back as codes, and are checked. */
    void init() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment provided = arena.allocate(JAVA_INT);
            check(call(initThread, MemorySegment.NULL, MemorySegment.NULL, SERIALIZED, provided), "MPI_Init_thread");
            if (provided.get(JAVA_INT, 0) < SERIALIZED) {
                throw new InvalidRequestException("%s was built for one thread only", version);
            }
            long returnErrors = handle("ompi_mpi_errors_return", 0x54000001);
            check(call(setErrorHandler, wide(world), wide(returnErrors)), "MPI_Comm_set_errhandler");
        }
    }

    int rank(long communicator) {
        return number(commRank, communicator);
    }

    int size(long communicator) {
        return number(commSize, communicator);
    }

    private int number(MethodHandle function, long communicator) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_INT);
            check(call(function, wide(communicator), number), "MPI_Comm_rank");
            return number.get(JAVA_INT, 0);
        }
    }

    long split(long communicator, int color, int key) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment made = arena.allocate(JAVA_LONG);
            check(call(commSplit, wide(communicator), color, key, made), "MPI_Comm_split");
            return isOpenMpi ? made.get(JAVA_LONG, 0) : made.get(JAVA_INT, 0);
        }
    }

    /** Starts it; displacements and counts are in elements of {@code type}. */
    void allToAll(
            MemorySegment send,
            MemorySegment sendCounts,
            MemorySegment sendPlaces,
            MemorySegment receive,
            MemorySegment receiveCounts,
            MemorySegment receivePlaces,
            long type,
            long communicator,
            MemorySegment request) {
        check(
                call(
                        allToAll,
                        send,
                        sendCounts,
                        sendPlaces,
                        wide(type),
                        receive,
                        receiveCounts,
                        receivePlaces,
                        wide(type),
                        wide(communicator),
                        request),
                "MPI_Ialltoallv");
    }

    void allGather(
            MemorySegment send, MemorySegment receive, int count, long type, long communicator, MemorySegment request) {
        check(
                call(allGather, send, count, wide(type), receive, count, wide(type), wide(communicator), request),
                "MPI_Iallgather");
    }

    void gather(
            MemorySegment send,
            MemorySegment receive,
            int count,
            long type,
            int root,
            long communicator,
            MemorySegment request) {
        check(
                call(gather, send, count, wide(type), receive, count, wide(type), root, wide(communicator), request),
                "MPI_Igather");
    }

    void broadcast(MemorySegment values, int count, long type, int root, long communicator, MemorySegment request) {
        check(call(broadcast, values, count, wide(type), root, wide(communicator), request), "MPI_Ibcast");
    }

    /** Moves things on, and tells whether a request has been met. */
    boolean test(MemorySegment request, MemorySegment flag) {
        check(call(test, request, flag, ignoredStatus), "MPI_Test");
        return flag.get(JAVA_INT, 0) != 0;
    }

    /** Ends all ranks. */
    void abort(int code) {
        call(abort, wide(world), code);
    }

    void finish() {
        check(call(finish), "MPI_Finalize");
    }
}
