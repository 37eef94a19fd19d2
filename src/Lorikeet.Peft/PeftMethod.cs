using System.Text.Json.Nodes;
using Lorikeet.Formats;

namespace Lorikeet.Peft;

/// <summary>A method: how its configuration is written, and what it puts where.</summary>
public abstract class PeftMethod
{
    /// <summary>The value of <c>peft_type</c>.</summary>
    public abstract string Type { get; }

    /// <summary>The name in recipes.</summary>
    public abstract string RecipeName { get; }

    /// <summary>True for methods whose parameters stand beside the model's text, not in its layers (prefix tuning): the reference names keys otherwise there.</summary>
    public virtual bool IsPromptLearning => false;

    /// <summary>Every field that the reference writes, with its default; a field beyond them is not understood.</summary>
    public abstract JsonObject Defaults { get; }

    /// <summary>Reads the configuration and makes the parts. Problems are collected by the builder.</summary>
    public abstract void Build(AdapterBuilder builder);

    /// <summary>Completes a configuration with the defaults.</summary>
    internal void FillDefaults(JsonConfig config)
    {
        foreach ((string key, JsonNode? value) in Defaults)
        {
            if (!config.Root.ContainsKey(key))
                config.Root[key] = value?.DeepClone();
        }
    }
}
