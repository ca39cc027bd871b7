// The rest of the operators, emitted, against the oracle: what is composed of the primitives that larger networks
// exercise in EmittedNetworkTests.
using System.Text.RegularExpressions;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Emission;

public class EmittedOperatorTests
{
    [Theory]
    [InlineData("3x7x6", "image -> conv(6, 3x3, pad: 2, pad_mode: reflect) -> relu -> conv(4, 3x3, pad: 1, pad_mode: circular)")]
    [InlineData("3x7x6", "image -> conv(5, 3x2, flip: true) -> tanh -> pad(1x2, pad_mode: replicate)")]
    [InlineData("4x11", "image -> conv(6, 3, dilation: 2, causal: true) -> relu -> conv(3, 2, causal: true)")]
    [InlineData("6x7x7", "image -> conv(3, 3x3, connections: [[0, 1, 2], [3], [0, 5]]) -> tanh -> subsample(2x2)")]
    [InlineData("5x6x6", "image -> separable(18, 3x3, pad: 1) -> relu6 -> depthwise(3x3, multiplier: 2) -> hardswish")]
    [InlineData("3x7x5", "image -> adaptive_avgpool(3x2) -> mish")]
    [InlineData("3x7x5", "image -> conv(4, 1x1) -> adaptive_maxpool(3x2) -> prelu")]
    [InlineData("3x8x8", "image -> lppool(2x2) -> sumpool(2x2) -> softsign")]
    [InlineData("9x4x5", "image -> conv(9, 1x1) -> local_response_norm(5, alpha: 0.5, k: 2)")]
    [InlineData("3x4x4", "image -> conv(17, 1x1) -> upsample(2) -> conv(3, 3x3) -> global_maxpool")]
    [InlineData("4x5x5", "image -> instancenorm(affine: true) -> selu -> rmsnorm -> hardsigmoid")]
    [InlineData("8x4x4", "image -> conv(16, 1x1) -> pixel_shuffle(2) -> conv(8, 3x3) -> channel_shuffle(4)")]
    [InlineData("6x4x5", "image -> tokens -> layernorm -> dense(8) -> gelu(approximate: tanh) -> transpose")]
    [InlineData("6x3x4", "image -> rows(3) -> softmax(axis: -1, temperature: 2)")]
    [InlineData("3x5x4", "image -> resize(7x3) -> conv(17, 3x3, pad: 1) -> upsample(2, mode: cubic) -> relu")]
    [InlineData("18x4x3", "image -> upsample(3, mode: linear, align_corners: true) -> conv(2, 3x3, pad: 1)")]
    [InlineData("2x5", "image -> resize(9) -> conv(3, 3) -> resize(4, mode: nearest)")]
    [InlineData("2x2x3x4", "image -> resize(3x4x5) -> conv(4, 2) -> tanh -> upsample(2, mode: linear)")]
    [InlineData("7x6", "image -> attention(2) -> layernorm")]
    [InlineData("19x40", "image -> attention(1, bias: false) -> relu")]
    [InlineData("9x20", "(image -> dense(17)) @ (image -> dense(17) -> transpose)")]
    [InlineData("6x4x4", "image -> split(2) -> stack -> reduce_mean(axes: [0, 2])")]
    [InlineData("6x4x4", "[image -> slice(1, 3), image -> slice(3, 3)] -> max -> reduce_max(axes: [1], keep: false)")]
    [InlineData("6x4x4", "[image -> conv(6, 1x1), image, image -> abs] -> mean -> permute([2, 0, 1]) -> reduce_sum(axes: [-1])")]
    [InlineData("4x5x3", "div(mul(image -> conv(4, 1x1), image), add(image -> exp, image -> step)) -> log_softmax")]
    [InlineData("18x2x3", "sub(image -> pow(3), image -> conv(18, 1x1) -> identity) -> reshape(6x18)")]
    [InlineData("7x9", "matmul(image -> dense(33), image -> dense(33) -> transpose -> dense(40))")]
    [InlineData("2x6x20", "(image -> conv(2, 1x3)) @ (image -> conv(2, 1x3) -> transpose(1, 2)) -> softmax(axis: -1)")]
    [InlineData("33x4x4", "min(image, image -> conv(33, 1x1)) -> upconv(5, 3x3, stride: 2, pad: 1, output_pad: 1, bias: false)")]
    [InlineData("3x4x4x4", "image -> reshape(3x2x2x4x4) -> permute([1, 0, 3, 2, 4]) -> tanh -> slice(1, 2, axis: 2) -> softmax(axis: 3)")]
    [InlineData("3x4x4x4", "[image -> reshape(3x2x2x4x4), image -> exp -> reshape(3x2x2x4x4)] -> concat(axis: 1) -> reduce_sum(axes: [1, 3])")]
    [InlineData("5x6", "image -> clamp(-0.5, 0.5) -> elu(0.5) -> batchnorm(affine: false) -> atan")]
    [InlineData("5x6", "image -> square -> sqrt -> exp -> log -> sin -> cos -> neg")]
    [InlineData("6x5x4", "image -> conv(6, 1x1) -> maxout(3) -> spatial_pyramid([2, 1])")]
    [InlineData("4x7x5", "image -> filter(2x2, [1, 0, -1, 2]) -> pixel_unshuffle(2) -> local_contrast_norm(3)")]
    [InlineData("2x5x4", "image -> locally_connected(3, 3x2, pad: 1) -> unfold(2x2, stride: 2)")]
    [InlineData("4x5", "image -> positional_encoding -> lstm(3, bidirectional: true) -> gru(4) -> rnn(2)")]
    [InlineData("3x5x4", "image -> conv(4, 3x3, pad: 1, parametrize: weight_norm) -> conv(3, 3x3, pad: 1, pad_mode: partial) -> conv(2, 1x1, parametrize: spectral_norm)")]
    public void AgreeWithTheOracle(string shape, string body) =>
        new EmittedNetworkTests().AgreeWithTheOracle(shape, $"({body}) -> flatten -> dense(5)");

    /// <summary>A new operator is not finished before some network here, or among the networks and losses, was compiled with it.</summary>
    [Fact]
    public void NoOperatorIsForgotten()
    {
        var texts = typeof(EmittedOperatorTests).GetMethod(nameof(AgreeWithTheOracle))!.GetCustomAttributes(false).OfType<InlineDataAttribute>()
            .SelectMany(data => data.GetData(null!)).Concat(EmittedNetworkTests.Networks).Concat(EmittedLossTests.Losses).Concat(EmittedSelectionTests.Bodies)
            .SelectMany(row => row).Cast<string>().Append("cross_entropy flatten dense softmax");
        var words = texts.SelectMany(text => Regex.Split(text, "[^a-z0-9_]+")).ToHashSet(StringComparer.Ordinal);
        Assert.All(Catalog.All.Keys, name => Assert.Contains(name, words));
    }
}
