// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ffi;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A loaded native library; stays loaded until the process ends. */
public final class NativeLibrary {
    private final String name;
    private final SymbolLookup symbols;

    private NativeLibrary(String name, SymbolLookup symbols) {
        this.name = name;
        this.symbols = symbols;
    }

    /** The C library and whatever else the JVM itself is linked with. */
    public static NativeLibrary ofSystem() {
        return new NativeLibrary("the C library", Linker.nativeLinker().defaultLookup());
    }

    /** Sets a variable of the environment for libraries that are loaded from now on, unless it is set already. */
    public static void setDefault(String variable, String value) {
        MethodHandle set = ofSystem()
                .function(
                        "setenv",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int unused = (int) set.invokeExact(arena.allocateFrom(variable), arena.allocateFrom(value), 0);
        } catch (Throwable e) {
            throw new AssertionError("functions of C throw nothing", e);
        }
    }

    /** @throws IllegalArgumentException if the library cannot be loaded */
    @SuppressWarnings("restricted")
    public static NativeLibrary open(Path file) {
        return new NativeLibrary(file.getFileName().toString(), SymbolLookup.libraryLookup(file, Arena.global()));
    }

    /**
     * Loads the first of these that the system's loader finds.
     *
     * @param names as files, such as {@code libmpi.so.40}
     */
    @SuppressWarnings("restricted")
    public static Optional<NativeLibrary> find(List<String> names) {
        for (String name : names) {
            try {
                return Optional.of(new NativeLibrary(name, SymbolLookup.libraryLookup(name, Arena.global())));
            } catch (IllegalArgumentException e) {
                continue; // the next one may be there
            }
        }
        return Optional.empty();
    }

    /**
     * Loads a library that the build packed into our jar.
     *
     * @param name without prefix and ending
     * @throws IllegalArgumentException if the build has none for this platform, or it cannot be loaded
     */
    public static NativeLibrary ofResource(String name) {
        String file = System.mapLibraryName(name);
        String resource = "/native/%s-%s/%s".formatted(operatingSystem(), System.getProperty("os.arch"), file);
        try (InputStream in = NativeLibrary.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalArgumentException("the build has no " + resource + ": no C compiler was there");
            }
            Path copy = Files.createTempFile("telechat", file);
            try {
                Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
                return open(copy);
            } finally {
                Files.deleteIfExists(copy); // what is loaded stays loaded
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be unpacked: " + e.getMessage(), e);
        }
    }

    private static String operatingSystem() {
        return System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("mac") ? "mac" : "linux";
    }

    public boolean has(String symbol) {
        return symbols.find(symbol).isPresent();
    }

    /**
     * Where a variable is.
     *
     * @throws IllegalArgumentException if the library has no such symbol
     */
    public long address(String symbol) {
        return symbols.find(symbol)
                .orElseThrow(() -> new IllegalArgumentException(name + " has no symbol " + symbol))
                .address();
    }

    /** Its file, as it was looked for. */
    public String name() {
        return name;
    }

    /**
     * A handle on a function.
     *
     * @throws IllegalArgumentException if the library has no such symbol
     */
    @SuppressWarnings("restricted")
    public MethodHandle function(String symbol, FunctionDescriptor signature) {
        return Linker.nativeLinker()
                .downcallHandle(
                        symbols.find(symbol)
                                .orElseThrow(() -> new IllegalArgumentException(name + " has no function " + symbol)),
                        signature);
    }
}
