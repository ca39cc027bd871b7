// The client side of `cnnc lsp`: starts the server for .cnn files and connects the editor to it. All that the editor
// shows comes from there; nothing about the language is known here.
'use strict';

const { window, workspace, commands } = require('vscode');
const { LanguageClient, TransportKind } = require('vscode-languageclient/node');

/** @type {LanguageClient | undefined} */
let client;

async function start() {
    const [command, ...args] = workspace.getConfiguration('cnn').get('server.command');
    const server = { command, args, transport: TransportKind.stdio };
    client = new LanguageClient('cnn', 'CNN networks', { run: server, debug: server }, {
        documentSelector: [{ language: 'cnn' }],
        synchronize: { fileEvents: workspace.createFileSystemWatcher('**/*.cnn') },
    });
    try {
        await client.start();
    } catch (problem) {
        window.showErrorMessage(
            `The language server did not start: ${problem.message}. Is 'cnnc' installed (dotnet tool install ModelCompiler.Tool)? `
            + "The setting 'cnn.server.command' says how it is started.");
    }
}

async function stop() {
    const running = client;
    client = undefined;
    if (running?.needsStop()) {
        await running.stop();
    }
}

async function restart() {
    await stop();
    await start();
}

async function activate(context) {
    context.subscriptions.push(
        commands.registerCommand('cnn.restartServer', restart),
        workspace.onDidChangeConfiguration(change => change.affectsConfiguration('cnn.server.command') ? restart() : undefined));
    await start();
}

module.exports = { activate, deactivate: stop };
