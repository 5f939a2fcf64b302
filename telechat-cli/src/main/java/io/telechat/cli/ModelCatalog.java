// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.ModelFiles;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Checkpoints that lie where people keep them: below the folders of {@code TELECHAT_MODELS}, and in the caches of the tools of
 * Hugging Face and ModelScope.
 */
final class ModelCatalog {
    /** {@code models--ORGANISATION--NAME/snapshots/REVISION}, as huggingface_hub lays them out. */
    private static final Pattern SNAPSHOT = Pattern.compile("models--(.+?)--(.+)/snapshots/[^/]+");

    private static final int DEPTH = 6;

    private final Map<String, String> environment;

    ModelCatalog(Map<String, String> environment) {
        this.environment = environment;
    }

    /** @param name such as {@code Tele-AI/TeleChat2-3B} */
    record Entry(String name, Path directory) {}

    /** Folders that are there. */
    List<Path> roots() {
        Path home = Path.of(System.getProperty("user.home"));
        List<Path> roots = new ArrayList<>();
        for (String folder : environment.getOrDefault("TELECHAT_MODELS", "").split(File.pathSeparator)) {
            if (!folder.isBlank()) {
                roots.add(Path.of(folder));
            }
        }
        Path cache = path("XDG_CACHE_HOME").orElse(home.resolve(".cache"));
        Path huggingFace = path("HF_HOME").orElse(cache.resolve("huggingface"));
        roots.add(path("HF_HUB_CACHE").orElse(huggingFace.resolve("hub")));
        Path modelScope = path("MODELSCOPE_CACHE").orElse(cache.resolve("modelscope"));
        roots.add(modelScope.resolve("hub").resolve("models"));
        roots.add(modelScope.resolve("models"));
        return roots.stream().filter(Files::isDirectory).toList();
    }

    private Optional<Path> path(String variable) {
        return Optional.ofNullable(environment.get(variable))
                .filter(value -> !value.isBlank())
                .map(Path::of);
    }

    /** All that is found, by name; of several revisions the one that was touched last. */
    List<Entry> entries() {
        Map<String, Path> found = new TreeMap<>();
        for (Path root : roots()) {
            for (Path directory : checkpoints(root)) {
                found.putIfAbsent(name(root, directory), directory);
            }
        }
        return found.entrySet().stream()
                .map(e -> new Entry(e.getKey(), e.getValue()))
                .toList();
    }

    private static List<Path> checkpoints(Path root) {
        List<Path> found = new ArrayList<>();
        try {
            Files.walkFileTree(root, EnumSet.of(FileVisitOption.FOLLOW_LINKS), DEPTH, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                    if (isCheckpoint(directory)) {
                        found.add(directory);
                        return FileVisitResult.SKIP_SUBTREE;
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) {
                    return FileVisitResult.CONTINUE; // what cannot be looked into, and links in circles
                }
            });
        } catch (IOException e) {
            return List.of(); // none that could be used
        }
        found.sort(Comparator.comparing((Path p) -> p.toFile().lastModified()).reversed());
        return found;
    }

    private static boolean isCheckpoint(Path directory) {
        if (!Files.isRegularFile(directory.resolve("config.json"))) {
            return isGguf(directory);
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.anyMatch(
                    f -> f.getFileName().toString().matches(".*\\.(safetensors|gguf)|pytorch_model.*\\.bin"));
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isGguf(Path directory) {
        try {
            return ModelFiles.gguf(directory).isPresent();
        } catch (InvalidModelException e) {
            return false; // several: each is named by its file
        }
    }

    private static String name(Path root, Path directory) {
        String relative = root.relativize(directory).toString().replace(File.separatorChar, '/');
        Matcher snapshot = SNAPSHOT.matcher(relative);
        if (snapshot.matches()) {
            return snapshot.group(1) + "/" + snapshot.group(2);
        }
        return relative.isEmpty() ? directory.toAbsolutePath().getFileName().toString() : relative.replace("___", ".");
    }

    /**
     * The checkpoint of this name; the part behind the organisation is enough where only one has it.
     *
     * @return nothing if there is none, or more than one
     */
    Optional<Path> find(String name) {
        List<Entry> all = entries();
        Optional<Entry> whole = all.stream().filter(e -> e.name().equals(name)).findFirst();
        List<Entry> ends =
                all.stream().filter(e -> e.name().endsWith("/" + name)).toList();
        return whole.or(() -> ends.size() == 1 ? Optional.of(ends.getFirst()) : Optional.empty())
                .map(Entry::directory);
    }
}
