// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Picks a backend, and says why when it is not the best one. */
public final class Backends {
    private static final Logger LOG = LoggerFactory.getLogger(Backends.class);

    private Backends() {}

    /** All providers on the class path, best first. */
    public static List<BackendProvider> providers() {
        return ServiceLoader.load(BackendProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparingInt(BackendProvider::priority).reversed())
                .toList();
    }

    /**
     * A backend of this kind, which the caller closes.
     *
     * @throws InvalidRequestException if there is none, or it cannot be used here
     */
    public static Backend open(BackendChoice choice) {
        return choice.name()
                .map(Backends::provider)
                .orElseGet(Backends::bestProvider)
                .create(choice.threads(), choice.device());
    }

    /** The best usable backend. What was passed over is logged in one line. */
    public static Backend best(int threads) {
        return bestProvider().create(threads);
    }

    private static BackendProvider bestProvider() {
        for (BackendProvider provider : providers()) {
            if (provider.unusableReason().isEmpty()) {
                return provider;
            }
            LOG.warn(Message.localized(
                    "backend %s is not usable: %s",
                    provider.name(), provider.unusableReason().get()));
        }
        throw new InvalidRequestException(
                "there is no usable backend: add --add-modules jdk.incubator.vector to Java's options, or"
                        + " io.telechat:telechat-nd4j to the class path");
    }

    /**
     * The backend of this name.
     *
     * @throws InvalidRequestException if there is none, or it cannot be used here
     */
    public static Backend byName(String name, int threads) {
        return provider(name).create(threads);
    }

    private static BackendProvider provider(String name) {
        List<BackendProvider> providers = providers();
        BackendProvider provider = providers.stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidRequestException(
                        "unknown backend '%s'; there are: %s",
                        name, providers.stream().map(BackendProvider::name).collect(Collectors.joining(", "))));
        provider.unusableReason().ifPresent(reason -> {
            throw new InvalidRequestException("backend %s is not usable: %s", name, reason);
        });
        return provider;
    }
}
