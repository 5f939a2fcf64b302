// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Elements that only ND4J can reach, such as GPU memory under its CUDA backend.
 *
 * @param array row-major ('c' order), of the tensor's shape
 */
public record ArrayStorage(INDArray array) implements Storage {}
