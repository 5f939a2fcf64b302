// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;
import ai.djl.repository.LocalRepository;
import ai.djl.repository.Repository;
import ai.djl.repository.RepositoryFactory;
import ai.djl.repository.SimpleRepository;
import io.telechat.core.TelechatException;
import io.telechat.core.architecture.ConfigFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Directories as repositories. DJL chooses a translator before it asks the engine for a model, so that directories which hold a
 * checkpoint of ours have to bring their translators with them; for others, this does what DJL's own factory does, in whose place it
 * comes.
 */
public final class TelechatRepositoryFactory implements RepositoryFactory {
    private static final Logger LOG = LoggerFactory.getLogger(TelechatRepositoryFactory.class);

    @Override
    public Set<String> getSupportedScheme() {
        return Set.of("file");
    }

    @Override
    public Repository newInstance(String name, URI uri) {
        Path path = uri.isOpaque() ? Path.of(uri.getSchemeSpecificPart()) : Path.of(uri.getPath());
        if (isOurs(path)) {
            return new Checkpoint(name, uri, path);
        }
        return holdsMetadata(path) ? new Local(name, path) : new Simple(name, uri, path);
    }

    private static boolean isOurs(Path directory) {
        if (!Files.isRegularFile(directory.resolve("config.json"))) {
            return false;
        }
        try {
            return ConfigFile.read(directory.resolve("config.json"))
                    .text("model_type", "")
                    .startsWith("telechat");
        } catch (TelechatException e) {
            LOG.debug("{} is left to other engines: {}", directory, e.getMessage());
            return false;
        }
    }

    /** Whether below a directory, but not in it, there is a description of models in DJL's own format. */
    private static boolean holdsMetadata(Path directory) {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            return files.anyMatch(file ->
                    file.endsWith("metadata.json") && !directory.equals(file.getParent()) && Files.isRegularFile(file));
        } catch (IOException e) {
            LOG.warn("{} cannot be looked through", directory, e);
            return false;
        }
    }

    /** A model's directory, with the translators that it is used through. */
    private static final class Checkpoint extends SimpleRepository {
        Checkpoint(String name, URI uri, Path path) {
            super(name, uri, path);
            arguments.putIfAbsent("translatorFactory", TelechatTranslatorFactory.class.getName());
            arguments.putIfAbsent("blockFactory", NoBlock.class.getName());
        }
    }

    private static final class Simple extends SimpleRepository {
        Simple(String name, URI uri, Path path) {
            super(name, uri, path);
        }
    }

    private static final class Local extends LocalRepository {
        Local(String name, Path path) {
            super(name, path.toUri(), path);
        }
    }

    /** Named so that DJL does not look for blocks in the model's directory, where it would run any class that it finds. */
    public static final class NoBlock implements BlockFactory {
        private static final long serialVersionUID = 1;

        @Override
        public Block newBlock(Model model, Path path, Map<String, ?> arguments) {
            return null;
        }
    }
}
