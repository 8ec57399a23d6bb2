FROM node:26-slim

WORKDIR /app

COPY package.json ./
RUN npm install --omit=dev

COPY app.ts ./

ENV NODE_ENV=production
ENV SCHERZO_HOST=0.0.0.0
ENV SCHERZO_PORT=8080
ENV SCHERZO_RUNTIME=current_thread
ENV SCHERZO_ADMIN=off
ENV SCHERZO_LOG_LEVEL=warn

EXPOSE 8080

CMD ["node_modules/.bin/scherzo", "serve", "app.ts"]
