// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** A loaded native library; stays loaded until the process ends. */
public final class NativeLibrary {
    private final String name;
    private final SymbolLookup symbols;

    private NativeLibrary(String name, SymbolLookup symbols) {
        this.name = name;
        this.symbols = symbols;
    }

    /** @throws IllegalArgumentException if the library cannot be loaded */
    @SuppressWarnings("restricted")
    public static NativeLibrary open(Path file) {
        return new NativeLibrary(file.getFileName().toString(), SymbolLookup.libraryLookup(file, Arena.global()));
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
