// SPDX-License-Identifier: Apache-2.0
package io.telechat.server;

import io.telechat.core.InvalidRequestException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How a model is served.
 *
 * @param host to listen on; others than this machine's own need a key
 * @param port 0 for any that is free
 * @param keys one of which has to come with each request; none if empty
 * @param insecure whether others than this machine may ask without a key
 * @param allowedHosts under which this server may be asked, besides this machine's own and {@code host}; {@code *} for any
 * @param modelName by which requests name the model
 * @param adapterNames by which they name its adapters, in the order in which these were loaded
 * @param maxBody bytes of a request
 * @param requestTimeout after which an answer is given up; empty for never
 * @param page whether there is a chat page
 */
public record ServerOptions(
        String host,
        int port,
        List<String> keys,
        boolean insecure,
        Set<String> allowedHosts,
        String modelName,
        List<String> adapterNames,
        long maxBody,
        Optional<Duration> requestTimeout,
        boolean page) {
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "::1");

    public ServerOptions {
        keys = List.copyOf(keys);
        allowedHosts = Set.copyOf(allowedHosts);
        adapterNames = List.copyOf(adapterNames);
        if (port < 0 || port > 65_535) {
            throw new InvalidRequestException("the port is %d, must be from 0 to 65535", port);
        }
        if (!LOOPBACK.contains(host) && keys.isEmpty() && !insecure) {
            throw new InvalidRequestException(
                    "listening on %s lets others than this machine in: give --api-key-file FILE or --api-key KEY, or"
                            + " --insecure if everybody may ask",
                    host);
        }
        if (Set.copyOf(adapterNames).size() < adapterNames.size() || adapterNames.contains(modelName)) {
            throw new InvalidRequestException("two models have the same name; --served-model-name renames the first");
        }
    }
}
