// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.InvalidModelException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The list of architectures. To add one, write its file and put it here. */
public final class Architectures {
    /** Asked in this order. */
    public static final List<Architecture> ALL =
            List.of(new TeleChat52bArchitecture(), new TeleChat2Architecture(), new TeleChatArchitecture());

    private Architectures() {}

    /**
     * The architecture of a checkpoint.
     *
     * @throws InvalidModelException if it is none that we know
     */
    public static Architecture of(ConfigFile config, Set<String> tensorNames) {
        return ALL.stream()
                .filter(a -> a.matches(config, tensorNames))
                .findFirst()
                .orElseThrow(() -> new InvalidModelException(
                        "%s: not a TeleChat model (model_type '%s'); known architectures: %s",
                        config.path(),
                        config.text("model_type", "none"),
                        ALL.stream().map(Architecture::name).collect(Collectors.joining(", "))));
    }
}
