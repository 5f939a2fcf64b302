// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.InsufficientMemoryException;
import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/**
 * The CUDA driver API, as far as we call it: {@code libcuda.so.1}, which comes with NVIDIA's kernel module; no CUDA toolkit is
 * needed. Handles and device addresses are longs. All functions throw {@link CudaException} where the driver reports an error,
 * and {@link InsufficientMemoryException} where that is a lack of memory.
 *
 * @see <a href="https://docs.nvidia.com/cuda/cuda-driver-api/">CUDA Driver API</a>
 */
final class Driver {
    /** Names another library than the system's: a path. */
    private static final String PROPERTY = "telechat.cuda.library";

    private static final int OUT_OF_MEMORY = 2;
    private static final int NOT_READY = 600;

    private static final Optional<Driver> INSTANCE = NativeLibrary.find(
                    List.of(System.getProperty(PROPERTY, "libcuda.so.1")))
            .map(Driver::new);

    private final NativeLibrary library;
    private final MethodHandle getErrorName;
    private final MethodHandle setCurrent;
    private final MethodHandle launchKernel;
    private final MethodHandle copyToDevice;
    private final MethodHandle copyToHost;
    private final MethodHandle copyWithin;
    private final MethodHandle set;
    private final MethodHandle streamSynchronize;
    private final MethodHandle streamQuery;
    private final MethodHandle eventQuery;
    private final MethodHandle graphLaunch;

    private Driver(NativeLibrary library) {
        this.library = library;
        this.getErrorName = function("cuGetErrorName", JAVA_INT, ADDRESS);
        this.setCurrent = function("cuCtxSetCurrent", JAVA_LONG);
        this.launchKernel = function(
                "cuLaunchKernel",
                JAVA_LONG,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_LONG,
                ADDRESS,
                ADDRESS);
        this.copyToDevice = function("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
        this.copyToHost = function("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        this.copyWithin = function("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        this.set = function("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);
        this.streamSynchronize = function("cuStreamSynchronize", JAVA_LONG);
        this.streamQuery = function("cuStreamQuery", JAVA_LONG);
        this.eventQuery = function("cuEventQuery", JAVA_LONG);
        this.graphLaunch = function("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
    }

    /** Empty where there is no driver. */
    static Optional<Driver> find() {
        return INSTANCE;
    }

    /** @throws CudaException where there is no driver */
    static Driver get() {
        return INSTANCE.orElseThrow(() -> new CudaException("there is no NVIDIA driver (libcuda.so.1)"));
    }

    private MethodHandle function(String name, MemoryLayout... parameters) {
        return library.function(name, FunctionDescriptor.of(JAVA_INT, parameters));
    }

    /** Calls what is called rarely: a function of the library by its name. */
    void call(String name, List<MemoryLayout> parameters, Object... arguments) {
        int code;
        try {
            code = (int) function(name, parameters.toArray(MemoryLayout[]::new)).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw unexpected(e);
        }
        check(code, name);
    }

    private static AssertionError unexpected(Throwable e) {
        return new AssertionError("functions of C throw nothing", e);
    }

    private void check(int code, String name) {
        if (code == OUT_OF_MEMORY) {
            throw new InsufficientMemoryException("the GPU has no more memory (%s)", name);
        }
        if (code != 0) {
            throw new CudaException("CUDA failed in %s: %s (%d)", name, errorName(code), code);
        }
    }

    private String errorName(int code) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(ADDRESS);
            int unknown = (int) getErrorName.invokeExact(code, text);
            return unknown != 0 ? "unknown error" : text(text.get(ADDRESS, 0));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** The characters up to the first zero. */
    @SuppressWarnings("restricted")
    private static String text(MemorySegment start) {
        return start.reinterpret(256).getString(0);
    }

    /** Makes a context that of the calling thread. */
    void setCurrent(long context) {
        try {
            check((int) setCurrent.invokeExact(context), "cuCtxSetCurrent");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** @param arguments addresses of the arguments */
    void launch(
            long function,
            int x,
            int y,
            int z,
            int threads,
            int sharedBytes,
            long stream,
            MemorySegment arguments,
            String name) {
        try {
            check(
                    (int) launchKernel.invokeExact(
                            function, x, y, z, threads, 1, 1, sharedBytes, stream, arguments, MemorySegment.NULL),
                    name);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void copyToDevice(long to, MemorySegment from, long stream) {
        try {
            check((int) copyToDevice.invokeExact(to, from, from.byteSize(), stream), "cuMemcpyHtoDAsync");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void copyToHost(MemorySegment to, long from, long stream) {
        try {
            check((int) copyToHost.invokeExact(to, from, to.byteSize(), stream), "cuMemcpyDtoHAsync");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void copyWithin(long to, long from, long bytes, long stream) {
        try {
            check((int) copyWithin.invokeExact(to, from, bytes, stream), "cuMemcpyDtoDAsync");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void set(long at, byte value, long bytes, long stream) {
        try {
            check((int) set.invokeExact(at, value, bytes, stream), "cuMemsetD8Async");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    void synchronize(long stream) {
        try {
            check((int) streamSynchronize.invokeExact(stream), "cuStreamSynchronize");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Whether all work of a stream is done. */
    boolean isDone(long stream) {
        return answer(streamQuery, stream, "cuStreamQuery");
    }

    /** Whether an event has been reached. */
    boolean isReached(long event) {
        return answer(eventQuery, event, "cuEventQuery");
    }

    private boolean answer(MethodHandle query, long handle, String name) {
        int code;
        try {
            code = (int) query.invokeExact(handle);
        } catch (Throwable e) {
            throw unexpected(e);
        }
        if (code != NOT_READY) {
            check(code, name);
        }
        return code != NOT_READY;
    }

    void launchGraph(long graph, long stream) {
        try {
            check((int) graphLaunch.invokeExact(graph, stream), "cuGraphLaunch");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    boolean has(String function) {
        return library.has(function);
    }

    /** Calls a function whose first parameter is where to put a handle, or number. */
    long make(String name, List<MemoryLayout> parameters, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment made = arena.allocate(JAVA_LONG);
            List<MemoryLayout> all = new java.util.ArrayList<>(List.of(ADDRESS));
            all.addAll(parameters);
            List<Object> values = new java.util.ArrayList<>(List.of(made));
            values.addAll(List.of(arguments));
            call(name, all, values.toArray());
            return made.get(JAVA_LONG, 0);
        }
    }
}
