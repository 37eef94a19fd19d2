using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Peft;

/// <summary>Every method.</summary>
public static class PeftRegistry
{
    /// <summary>In the order in which they are listed to people.</summary>
    public static IReadOnlyList<PeftMethod> Methods { get; } = [new LoraMethod(), new Ia3Method(), new PrefixTuningMethod(), new BottleneckMethod()];

    /// <summary>The method of an <c>adapter_config.json</c>.</summary>
    /// <exception cref="InputException">It is none of a known method.</exception>
    internal static PeftMethod Of(JsonConfig file)
    {
        if (Methods.FirstOrDefault(method => method.Recognises(file)) is { } method)
            return method;
        if (!file.Has("peft_type"))
            throw new InputException($"{file.Description}: `peft_type` is missing; it names the method (LORA, IA3, …)");
        return OfType(file.Text("peft_type", ""), file.Description);
    }

    /// <summary>The method of a <c>peft_type</c>.</summary>
    /// <exception cref="InputException">The type is not known.</exception>
    public static PeftMethod OfType(string type, string file) =>
        Methods.FirstOrDefault(method => string.Equals(method.Type, type, StringComparison.OrdinalIgnoreCase))
        ?? throw new InputException($"{file}: peft_type \"{type}\" is not supported; supported are {string.Join(", ", Methods.Select(method => method.Type))}");

    /// <summary>The method that a recipe names.</summary>
    /// <exception cref="InputException">The name is not known.</exception>
    public static PeftMethod OfRecipe(string name) =>
        Methods.FirstOrDefault(method => string.Equals(method.RecipeName, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new InputException($"method \"{name}\" is not known; known are full, dora, {string.Join(", ", Methods.Select(method => method.RecipeName))}");
}
