// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.Message;
import io.telechat.cuda.driver.Device;
import io.telechat.cuda.driver.Nvrtc;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where the machine code of our kernels comes from: out of our jar, if the build had NVIDIA's compiler; otherwise it is compiled here
 * from the sources in the jar, by NVIDIA's library for that, and kept for the next time.
 */
final class KernelImages {
    /** Names one file that holds all kernels, for the tests. */
    private static final String PROPERTY = "telechat.cuda.kernels";

    private static final List<String> HEADERS = List.of("device.cuh", "kv_cache.cuh", "planes.cuh", "quantized.cuh");
    private static final String FOLDER = "/cuda/";

    private final Device device;
    private final Optional<Path> single =
            Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of);

    KernelImages(Device device) {
        this.device = device;
    }

    /** Why there is no machine code for a GPU, and what to do; empty if there is. */
    static Optional<Message> absence() {
        if (System.getProperty(PROPERTY) != null
                || KernelImages.class.getResource(FOLDER + "rms_norm.fatbin") != null) {
            return Optional.empty();
        }
        return Nvrtc.find().isPresent()
                ? Optional.empty()
                : Optional.of(Message.of(
                        "the build had no nvcc, and there is no libnvrtc.so to compile the kernels here; install"
                                + " NVIDIA's package cuda-nvrtc, or build telechat where nvcc is"));
    }

    /** How the machine code is come by, for people. */
    static String origin() {
        return KernelImages.class.getResource(FOLDER + "rms_norm.fatbin") != null
                ? "compiled by the build"
                : "compiled here by " + Nvrtc.find().map(Nvrtc::version).orElse("nobody");
    }

    /** The module that holds the kernels of a source file. */
    String moduleOf(String source) {
        return single.map(Path::toString).orElse(source);
    }

    /** The image of a module. */
    byte[] image(String module) {
        try {
            if (single.isPresent()) {
                return Files.readAllBytes(single.get());
            }
            try (InputStream packed = KernelImages.class.getResourceAsStream(FOLDER + module + ".fatbin")) {
                return packed != null
                        ? packed.readAllBytes()
                        : compiledHere(module).orElseThrow();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The image of a module, compiled on this machine; empty where there is nothing to do that with. */
    Optional<byte[]> compiledHere(String module) {
        return Nvrtc.find().map(compiler -> {
            try {
                return compile(compiler, CompiledKernels.userFolder(), module, device.capability());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Compiles the source of a module that is in our jar, or takes what the folder has of it. */
    static byte[] compile(Nvrtc compiler, Path folder, String module, int capability) throws IOException {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String header : HEADERS) {
            headers.put(header, text(header));
        }
        return new CompiledKernels(compiler, folder).get(module + ".cu", text(module + ".cu"), headers, capability);
    }

    private static String text(String file) throws IOException {
        try (InputStream in = KernelImages.class.getResourceAsStream(FOLDER + file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
