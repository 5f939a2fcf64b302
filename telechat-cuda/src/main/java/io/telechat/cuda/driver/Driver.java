// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.InsufficientMemoryException;
import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.Arena;
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

    private final Functions functions;
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
        this.functions = new Functions(library, this::check);
        this.getErrorName = functions.handle("cuGetErrorName", JAVA_INT, ADDRESS);
        this.setCurrent = functions.handle("cuCtxSetCurrent", JAVA_LONG);
        this.launchKernel = functions.handle(
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
        this.copyToDevice = functions.handle("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
        this.copyToHost = functions.handle("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        this.copyWithin = functions.handle("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        this.set = functions.handle("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);
        this.streamSynchronize = functions.handle("cuStreamSynchronize", JAVA_LONG);
        this.streamQuery = functions.handle("cuStreamQuery", JAVA_LONG);
        this.eventQuery = functions.handle("cuEventQuery", JAVA_LONG);
        this.graphLaunch = functions.handle("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
    }

    /** Empty where there is no driver. */
    static Optional<Driver> find() {
        return INSTANCE;
    }

    /** @throws CudaException where there is no driver */
    static Driver get() {
        return INSTANCE.orElseThrow(() -> new CudaException("there is no NVIDIA driver (libcuda.so.1)"));
    }

    /** Calls what is not called for every launch; see {@link Functions#call}. */
    void call(String name, List<MemoryLayout> parameters, Object... arguments) {
        functions.call(name, parameters, arguments);
    }

    /** See {@link Functions#make}. */
    long make(String name, List<MemoryLayout> parameters, Object... arguments) {
        return functions.make(name, parameters, arguments);
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
            throw Functions.unexpected(e);
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
            throw Functions.unexpected(e);
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
            throw Functions.unexpected(e);
        }
    }

    void copyToDevice(long to, MemorySegment from, long stream) {
        try {
            check((int) copyToDevice.invokeExact(to, from, from.byteSize(), stream), "cuMemcpyHtoDAsync");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    void copyToHost(MemorySegment to, long from, long stream) {
        try {
            check((int) copyToHost.invokeExact(to, from, to.byteSize(), stream), "cuMemcpyDtoHAsync");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    void copyWithin(long to, long from, long bytes, long stream) {
        try {
            check((int) copyWithin.invokeExact(to, from, bytes, stream), "cuMemcpyDtoDAsync");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    void set(long at, byte value, long bytes, long stream) {
        try {
            check((int) set.invokeExact(at, value, bytes, stream), "cuMemsetD8Async");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    void synchronize(long stream) {
        try {
            check((int) streamSynchronize.invokeExact(stream), "cuStreamSynchronize");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
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
            throw Functions.unexpected(e);
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
            throw Functions.unexpected(e);
        }
    }

    boolean has(String function) {
        return functions.library().has(function);
    }
}
