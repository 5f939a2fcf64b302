// SPDX-License-Identifier: Apache-2.0
/**
 * NVIDIA's driver and libraries by the foreign-function API: devices, memory, streams, kernels, graphs. Knows nothing of models.
 */
package io.telechat.cuda.driver;
