// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.FunctionDescriptor;

/** Which tiers this build and this CPU have. The native library is loaded once, when first asked for. */
public final class KernelTiers {
    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final boolean HAS_VECTOR_API =
            ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent();
    private static final String LIBRARY_NAME = "telechat_kernels";

    private KernelTiers() {}

    private static final class Loaded {
        private static final NativeLibrary LIBRARY;
        private static final KernelTier BEST;
        private static final String ABSENCE;

        static {
            NativeLibrary library = null;
            int best = 0;
            String absence;
            try {
                library = NativeLibrary.ofResource(LIBRARY_NAME);
                best = (int) library.function("telechat_best_tier", FunctionDescriptor.of(JAVA_INT))
                        .invokeExact();
                absence = best == 0 ? "this CPU has none of the instruction sets that they use" : "";
                if (best > 0 && !library.has(NativeKernels.symbol(KernelTier.values()[best]))) {
                    absence = "they were built for another CPU than this; build telechat anew here";
                    best = 0;
                }
            } catch (Throwable e) {
                absence = e.getMessage() == null ? e.toString() : e.getMessage();
            }
            LIBRARY = library;
            BEST = KernelTier.values()[best];
            ABSENCE = absence;
        }
    }

    /** The fastest tier. */
    public static KernelTier best() {
        return Loaded.BEST;
    }

    /** Why there are no native kernels; empty if there are. */
    public static String nativeAbsence() {
        return Loaded.ABSENCE;
    }

    public static boolean isUsable(KernelTier tier) {
        if (tier == KernelTier.VECTOR) {
            return HAS_VECTOR_API;
        }
        boolean hasCpu = tier == best() || best() != KernelTier.NEON && tier.compareTo(best()) < 0;
        return hasCpu && Loaded.LIBRARY.has(NativeKernels.symbol(tier));
    }

    /** Why a tier is not usable. */
    public static String absence(KernelTier tier) {
        if (tier == KernelTier.VECTOR) {
            return "Java's Vector API is off; start java with --add-modules " + VECTOR_MODULE;
        }
        if (!nativeAbsence().isEmpty()) {
            return nativeAbsence();
        }
        return tier.compareTo(best()) < 0 && best() != KernelTier.NEON
                ? "this build has the kernels of " + best() + " alone; mvn -B -DskipTests package makes all"
                : "this CPU has " + best() + " at best";
    }

    /** @throws IllegalArgumentException if this CPU or this build does not have the tier */
    public static Kernels of(KernelTier tier) {
        return tier == KernelTier.VECTOR ? new VectorKernels() : ofNative(tier);
    }

    /** Those of training; likewise. */
    public static GradKernels gradOf(KernelTier tier) {
        return tier == KernelTier.VECTOR ? new VectorGradKernels() : new NativeGradKernels(ofNative(tier));
    }

    /** @throws IllegalArgumentException likewise, or if it is not a native one */
    public static NativeKernels ofNative(KernelTier tier) {
        if (tier == KernelTier.VECTOR || !isUsable(tier)) {
            throw new IllegalArgumentException("no native kernels of tier " + tier);
        }
        return new NativeKernels(tier, Loaded.LIBRARY);
    }
}
