// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The functions of one of NVIDIA's libraries, all of which return a code that is 0 where all is well. A handle on a function is
 * made once.
 */
final class Functions {
    private final NativeLibrary library;
    private final Check check;
    private final Map<String, MethodHandle> handles = new ConcurrentHashMap<>();

    /** What becomes of a code. */
    @FunctionalInterface
    interface Check {
        /** Throws what the library means by the code, unless it is 0. */
        void check(int code, String name);
    }

    Functions(NativeLibrary library, Check check) {
        this.library = library;
        this.check = check;
    }

    NativeLibrary library() {
        return library;
    }

    MethodHandle handle(String name, MemoryLayout... parameters) {
        return handles.computeIfAbsent(name, n -> library.function(n, FunctionDescriptor.of(JAVA_INT, parameters)));
    }

    /** Calls a function by its name: for all but what is called for every launch. */
    void call(String name, List<MemoryLayout> parameters, Object... arguments) {
        check.check(code(name, parameters, arguments), name);
    }

    /** Likewise, and returns its code. */
    int code(String name, List<MemoryLayout> parameters, Object... arguments) {
        try {
            return (int) handle(name, parameters.toArray(MemoryLayout[]::new)).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Calls a function whose first parameter is where to put a handle, or number. */
    long make(String name, List<MemoryLayout> parameters, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment made = arena.allocate(JAVA_LONG);
            List<MemoryLayout> all = new ArrayList<>(List.of(ADDRESS));
            all.addAll(parameters);
            List<Object> values = new ArrayList<>(List.of(made));
            values.addAll(List.of(arguments));
            call(name, all, values.toArray());
            return made.get(JAVA_LONG, 0);
        }
    }

    static AssertionError unexpected(Throwable e) {
        return new AssertionError("functions of C throw nothing", e);
    }
}
