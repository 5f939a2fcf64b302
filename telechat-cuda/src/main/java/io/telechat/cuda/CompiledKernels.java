// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.Message;
import io.telechat.cuda.driver.Nvrtc;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Kernels compiled on this machine, kept in the user's cache folder: compiling takes half a minute, and is needed once. */
final class CompiledKernels {
    private static final Logger LOG = LoggerFactory.getLogger(CompiledKernels.class);

    private final Nvrtc compiler;
    private final Path folder;

    CompiledKernels(Nvrtc compiler, Path folder) {
        this.compiler = compiler;
        this.folder = folder;
    }

    /** In the user's folder for caches. */
    static Path userFolder() {
        return Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
                .filter(f -> !f.isEmpty())
                .map(Path::of)
                .orElse(Path.of(System.getProperty("user.home"), ".cache"))
                .resolve("telechat")
                .resolve("cuda");
    }

    /** The machine code of a source file, compiled unless the same has been before. A folder that cannot be written to is no obstacle. */
    byte[] get(String name, String source, Map<String, String> headers, int capability) {
        Path file = folder.resolve("%s-sm_%d-%s.cubin".formatted(name, capability, digest(source, headers)));
        try {
            if (Files.isReadable(file)) {
                return Files.readAllBytes(file);
            }
        } catch (IOException e) {
            LOG.debug("{} cannot be read: {}", file, e.getMessage());
        }
        LOG.info(Message.localized("compiling %s for this GPU (sm_%d), once", name, capability));
        byte[] code = compiler.compile(name, source, headers, capability);
        try {
            Files.createDirectories(folder);
            Path temporary = Files.createTempFile(folder, name, ".tmp");
            Files.write(temporary, code);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.debug("{} cannot be kept: {}", file, e.getMessage());
        }
        return code;
    }

    private String digest(String source, Map<String, String> headers) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(compiler.version().getBytes(StandardCharsets.UTF_8));
            digest.update(source.getBytes(StandardCharsets.UTF_8));
            headers.values().forEach(text -> digest.update(text.getBytes(StandardCharsets.UTF_8)));
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
